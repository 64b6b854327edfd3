"""Who gets a canary: the share of new clients, and whether those who know it stay with it."""

import signal
import time
from collections.abc import Callable

from benchmarks.onprem_stack import OnPremStack
from benchmarks.traffic.counting import cohort_of
from benchmarks.traffic.figures import CanaryShare, Cohort
from benchmarks.traffic.pace import Pace
from benchmarks.traffic.waiting import eventually
from bluegreen.errors import DataPlaneError
from bluegreen.load import BackgroundLoad, LoadPlan
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.supervisord import Supervisord

__all__ = ["measure_canaries", "measure_cohort"]

_MARGIN_SECONDS = 60.0


def measure_canaries(
    stack: OnPremStack, pace: Pace, tell: Callable[[str], None]
) -> list[CanaryShare]:
    """Each percentage by a `pulumi up`; the last one stays."""
    return [_share(stack, percent, pace, tell) for percent in pace.canary_percents]


def measure_cohort(
    stack: OnPremStack, pace: Pace, percent: int, tell: Callable[[str], None]
) -> Cohort:
    """Clients with cookies under the canary that is there, while the proxy is started again."""
    tell(f"{pace.cohort_clients} clients with cookies, over a restart of the proxy")
    each_asks_thrice = 3 * pace.cohort_clients / pace.cohort_rate
    plan = LoadPlan(
        url=stack.production_url,
        rate=pace.cohort_rate,
        seconds=2 * each_asks_thrice + _MARGIN_SECONDS,
        cookie_clients=pace.cohort_clients,
    )
    with BackgroundLoad(plan) as load:
        time.sleep(each_asks_thrice)
        _restart_proxy(stack)
        restarted = time.monotonic()
        time.sleep(each_asks_thrice)
        recording = load.stop()
    return cohort_of(recording, percent, str(stack.active.other), restarted)


def _share(
    stack: OnPremStack, percent: int, pace: Pace, tell: Callable[[str], None]
) -> CanaryShare:
    tell(f"canary: {percent} %")
    canary = stack.active.other
    stack.configure("canary", {"color": str(canary), "percent": percent})
    stack.apply()
    seconds = pace.canary_requests / pace.rate
    # Without cookies each request is the first of another client.
    with BackgroundLoad(
        LoadPlan(url=stack.production_url, rate=pace.rate, seconds=seconds)
    ) as load:
        recording = load.wait()
    answers = recording.by_color()
    return CanaryShare(
        percent,
        clients=sum(answers.values()),
        canary=answers.get(str(canary), 0),
        failed=recording.failed(),
    )


def _restart_proxy(stack: OnPremStack) -> None:
    runtime = HaproxyRuntime(str(stack.run_directory.stats_socket))
    before = runtime.worker_pid()

    def is_another() -> bool:
        try:
            return runtime.worker_pid() != before
        except DataPlaneError:
            return False

    Supervisord(stack.run_directory.path).signal("haproxy", signal.SIGTERM)
    eventually(is_another, "the proxy runs again")
