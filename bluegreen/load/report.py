"""What a load says about the switches that happened during it, in a few figures."""

import dataclasses
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bluegreen.errors import ConfigError
from bluegreen.load.recording import Recording, nearest_rank

__all__ = ["LoadReport", "Switch", "count_stale", "summarize"]


@dataclass(frozen=True, slots=True)
class Switch:
    """One move of production traffic; times are `time.monotonic()` of this machine."""

    from_color: str
    to_color: str
    started: float
    """When the command that switches was started."""

    returned: float
    """When that command said that it was done."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The figures of one load; times are seconds, percentiles are by nearest rank."""

    requests: int
    failed: int
    """Requests without a complete 2xx answer, whatever the reason."""

    stale: int
    """Requests sent after a switch had returned that the old color answered."""

    rate: float
    """Requests sent per second; less than `target_rate` when the client or a bound held it up."""

    target_rate: float
    p50_seconds: float | None
    """Latency from the intended send time, of answered and timed-out requests."""

    p99_seconds: float | None
    max_seconds: float | None
    send_delay_p99_seconds: float | None
    """How late requests were sent: pacing of the client, and waiting for a connection."""

    failures: Mapping[str, int]
    """Failed requests per kind."""

    answers: Mapping[str, int]
    """Complete answers per color."""

    connections_opened: int
    idle_closes: int
    """Keep-alive connections that the server closed between two requests; no failure."""

    def to_json(self) -> str:
        """One line of JSON with the same names; times in microsecond steps."""
        fields = dataclasses.asdict(self)
        return json.dumps(
            {
                name: round(value, 6) if isinstance(value, float) else value
                for name, value in fields.items()
            }
        )


def summarize(recording: Recording, switches: Sequence[Switch] = ()) -> LoadReport:
    """The figures of a recording; without switches nothing is stale."""
    latencies = recording.latencies()
    failures = recording.failures()
    return LoadReport(
        requests=len(recording),
        failed=sum(failures.values()),
        stale=count_stale(recording, switches),
        rate=recording.achieved_rate(),
        target_rate=recording.target_rate,
        p50_seconds=nearest_rank(latencies, 50),
        p99_seconds=nearest_rank(latencies, 99),
        max_seconds=nearest_rank(latencies, 100),
        send_delay_p99_seconds=nearest_rank(recording.send_delays(), 99),
        failures={str(kind): count for kind, count in failures.items()},
        answers=recording.by_color(),
        connections_opened=recording.connections_opened,
        idle_closes=recording.idle_closes,
    )


def count_stale(recording: Recording, switches: Sequence[Switch]) -> int:
    """Requests that were sent after a switch returned, before the next one started, to the old.

    The actual send time decides. What was sent while a switch ran may be answered by either color,
    also what was under way when the next one started; a request that got no answer has failed
    instead.
    """
    _check_order(switches)
    if not switches:
        return 0
    returned = [switch.returned for switch in switches]
    ends = [switch.started for switch in switches[1:]] + [float("inf")]
    stale = 0
    for request in recording:
        if request.sent is None or not request.status:
            continue
        latest = bisect_right(returned, request.sent) - 1
        if latest < 0 or request.ended >= ends[latest]:
            continue
        stale += request.color == switches[latest].from_color
    return stale


def _check_order(switches: Sequence[Switch]) -> None:
    moments = [moment for switch in switches for moment in (switch.started, switch.returned)]
    if moments != sorted(moments):
        msg = "switches: not in the order of their times; nothing was counted; sort by `started`"
        raise ConfigError([msg])
