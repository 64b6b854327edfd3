"""What is lost when the old color is ended: right after the write, and by the library."""

import os
import signal
import time
from collections.abc import Callable

from benchmarks.onprem_stack import OnPremStack
from benchmarks.stack import SERVICE
from benchmarks.traffic.figures import Loss
from benchmarks.traffic.pace import Pace
from benchmarks.traffic.proxies import OurWrite
from benchmarks.traffic.waiting import eventually, until_answered_by
from bluegreen.load import BackgroundLoad, LoadPlan, Recording
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.ports import taken_by
from bluegreen.onprem.supervisord import Supervisord

__all__ = ["measure_losses", "switch_and_kill"]

_REQUEST_MS = 50
_RATE = 400.0
"""Twenty requests are under way at any moment."""

_LONGEST_SECONDS = 120.0
_WARM_SECONDS = 0.5


def measure_losses(stack: OnPremStack, pace: Pace, tell: Callable[[str], None]) -> list[Loss]:
    """Both ways, with requests that take 50 ms and members that end at once when they are told."""
    rounds = range(pace.drain_rounds)
    tell("old color ended right after the write")
    killed = [_under_load(stack, switch_and_kill) for _ in rounds]
    tell("old color retired by bluegreen")
    retired = []
    for _ in rounds:
        retired.append(_under_load(stack, _switch_and_retire))
        stack.configure("retired", None)
        stack.apply()
    return [_loss("ended right after the write", killed), _loss("retired by bluegreen", retired)]


def switch_and_kill(stack: OnPremStack) -> None:
    """Moves all traffic as the router does, and kills the old members as soon as that is done."""
    old = stack.active
    processes = Supervisord(stack.run_directory.path).programs()
    pids = [each.pid for name, each in processes.items() if name.startswith(f"{old}-")]
    OurWrite(stack.production_url, stack.run_directory).switch(old.other)
    for pid in pids:
        assert pid is not None  # it has traffic
        os.kill(pid, signal.SIGKILL)


def _switch_and_retire(stack: OnPremStack) -> None:
    """One `pulumi up` that moves all traffic and then gives up the old members."""
    old = stack.active
    stack.configure("retired", {"color": str(old), "release": stack.release(old)})
    stack.configure("active_color", str(old.other))
    stack.apply()


def _under_load(stack: OnPremStack, end_old: Callable[[OnPremStack], None]) -> Recording:
    old = stack.active
    url = f"{stack.production_url}/slow?ms={_REQUEST_MS}"
    plan = LoadPlan(url=url, rate=_RATE, seconds=_LONGEST_SECONDS)
    until_answered_by(stack.production_url, old)
    with BackgroundLoad(plan) as load:
        time.sleep(_WARM_SECONDS)
        end_old(stack)
        time.sleep(_WARM_SECONDS)
        recording = load.stop()
    _recover(stack)
    return recording


def _recover(stack: OnPremStack) -> None:
    """Gives the traffic to the color that the config says, when its members are back."""
    runtime = HaproxyRuntime(str(stack.run_directory.stats_socket))
    wanted = len(stack.member_ports(stack.active))

    def is_ready() -> bool:
        # The proxy may not have noticed yet that they had gone.
        are_up = runtime.backend(f"{SERVICE}-{stack.active}").servers_up == wanted
        return are_up and all(taken_by(port) for port in stack.member_ports(stack.active))

    eventually(is_ready, f"the members of {stack.active} are ready")
    OurWrite(stack.production_url, stack.run_directory).switch(stack.active)


def _loss(name: str, recordings: list[Recording]) -> Loss:
    return Loss(
        name,
        rounds=len(recordings),
        requests=sum(map(len, recordings)),
        failed=sum(recording.failed() for recording in recordings),
    )
