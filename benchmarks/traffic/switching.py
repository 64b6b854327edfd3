"""`pulumi up` under load: one that changes nothing, one that switches, and so on."""

import time
from collections.abc import Callable
from datetime import datetime

from benchmarks.onprem_stack import OnPremStack
from benchmarks.traffic.counting import switching_of, traffic_of
from benchmarks.traffic.figures import Move, Switching, Write
from benchmarks.traffic.pace import Pace
from bluegreen.load import BackgroundLoad, LoadPlan
from bluegreen.load.plan import MAX_REQUESTS, MAX_SECONDS
from bluegreen.load.recording import Window

__all__ = ["measure_switching"]

_NAME = "bluegreen, pulumi up"


def measure_switching(stack: OnPremStack, pace: Pace, tell: Callable[[str], None]) -> Switching:
    """Both kinds of update take turns under one load."""
    moves: list[Move] = []
    no_changes: list[Window] = []
    writes: list[Write] = []
    # Longer than it ever takes; it is stopped.
    seconds = min(MAX_SECONDS, MAX_REQUESTS / pace.rate)
    plan = LoadPlan(url=stack.production_url, rate=pace.rate, seconds=seconds)
    with BackgroundLoad(plan) as load:
        calm_start = time.monotonic()
        time.sleep(pace.calm_seconds)
        calm = calm_start, time.monotonic()
        for number in range(1, pace.updates + 1):
            tell(f"pulumi up under load: {number} of {pace.updates}")
            # Now one first, then the other: what grows or fades by itself weighs on both.
            if number % 2:
                no_changes.append(_no_change(stack))
            moves.append(_switch(stack))
            writes.append(_write_of(stack))
            if not number % 2:
                no_changes.append(_no_change(stack))
        recording = load.stop()
    traffic = traffic_of(_NAME, recording, moves, calm)
    return switching_of(traffic, recording, moves, no_changes, writes)


def _no_change(stack: OnPremStack) -> Window:
    done = stack.up()
    return done.started, done.returned


def _write_of(stack: OnPremStack) -> Write:
    route = stack.route
    return Write(float(route["write_ms"]), float(route["durable_write_ms"]))


def _switch(stack: OnPremStack) -> Move:
    before = stack.active
    done = stack.switch()
    written = datetime.fromisoformat(stack.route["written_at"]).timestamp()
    # The state has the time of day; loads count by the other clock.
    written -= time.time() - time.monotonic()
    began = written - float(stack.route["durable_write_ms"]) / 1000
    return Move(str(before), str(before.other), done.started, done.returned, moved=began)
