"""What happened to every request of a load, compact enough for a million of them."""

import json
import math
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from bluegreen.errors import ConfigError

__all__ = ["Bucket", "Outcome", "Recording", "Request", "Window", "nearest_rank"]

_COLUMN_TYPES = {
    "intended": "d",
    "sent": "d",
    "ended": "d",
    "color": "i",
    "release": "i",
    "client": "i",
    "status": "H",
    "outcome": "B",
}

_MAGIC = b"bluegreen-load-recording 1\n"
_NO_CLIENT = -1

Window = tuple[float, float]
"""First instant and first instant after, by `time.monotonic()`, compared with intended times."""


class Outcome(StrEnum):
    """How a request ended; everything but `OK` has failed."""

    OK = "ok"
    """A complete answer with a status of 200 to 299."""

    RESET = "reset"
    """The connection was closed or reset after the request was written."""

    HTTP_ERROR = "http_error"
    """A complete answer with another status, or bytes that are no HTTP (status 0)."""

    TIMEOUT = "timeout"
    """No complete answer in time, also when no connection became free in time."""

    CONNECT_FAILURE = "connect_failure"
    """No connection could be made, so the request was not sent."""


_OUTCOMES = tuple(Outcome)
_CODES = {outcome: code for code, outcome in enumerate(_OUTCOMES)}
_OK = _CODES[Outcome.OK]
# A timeout counts with the time it was waited for: left out, slowness would look like speed.
# Resets and refusals are left out: they end quickly and would hide slow answers.
_TIMED = frozenset(_CODES[kind] for kind in (Outcome.OK, Outcome.HTTP_ERROR, Outcome.TIMEOUT))


class Request(NamedTuple):
    """One request as it was recorded; times are seconds of `time.monotonic()`."""

    intended: float
    sent: float | None
    """None when the request was never written to a connection."""

    ended: float
    outcome: Outcome
    status: int
    """HTTP status, 0 without an answer."""

    color: str
    """Color that answered; empty without an answer or without the header."""

    release: str
    client: int | None
    """Number of the simulated client, None when the load had none."""

    @property
    def latency(self) -> float:
        """Seconds from the intended send time to the end."""
        return self.ended - self.intended


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one stretch of the load brought, by intended send time."""

    start: float
    """Seconds since the first intended send time."""

    answers: dict[str, int]
    """Complete answers per color."""

    failed: int


class Recording:
    """Every request of one load, in the order in which they ended.

    All times are `time.monotonic()`, which all processes of a Linux machine share: whoever notes
    the same clock around a switch can relate it. `wall_offset` added gives the time of day.
    """

    def __init__(self, *, target_rate: float = 0.0, wall_offset: float | None = None) -> None:
        self.target_rate = target_rate
        """Requests per second that the load was asked for."""

        self.wall_offset = time.time() - time.monotonic() if wall_offset is None else wall_offset
        """Seconds to add to a recorded time to get the time of day."""

        self.connections_opened = 0
        """Connections made during the load, fresh ones included."""

        self.idle_closes = 0
        """Keep-alive connections that the server closed while no request was on them."""

        self._columns: dict[str, array[Any]] = {
            name: array(code) for name, code in _COLUMN_TYPES.items()
        }
        self._names: dict[str, int] = {"": 0}

    def add(
        self,
        *,
        intended: float,
        sent: float | None,
        ended: float,
        outcome: Outcome,
        status: int = 0,
        color: str = "",
        release: str = "",
        client: int | None = None,
    ) -> None:
        """Appends one request that has ended."""
        names, columns = self._names, self._columns
        columns["intended"].append(intended)
        columns["sent"].append(math.nan if sent is None else sent)
        columns["ended"].append(ended)
        columns["color"].append(names.setdefault(color, len(names)))
        columns["release"].append(names.setdefault(release, len(names)))
        columns["client"].append(_NO_CLIENT if client is None else client)
        columns["status"].append(status)
        columns["outcome"].append(_CODES[outcome])

    def __len__(self) -> int:
        return len(self._columns["outcome"])

    def __iter__(self) -> Iterator[Request]:
        names = list(self._names)
        columns = (self._columns[name] for name in _COLUMN_TYPES)
        for intended, sent, ended, color, release, client, status, outcome in zip(
            *columns, strict=True
        ):
            yield Request(
                intended=intended,
                sent=None if math.isnan(sent) else sent,
                ended=ended,
                outcome=_OUTCOMES[outcome],
                status=status,
                color=names[color],
                release=names[release],
                client=None if client == _NO_CLIENT else client,
            )

    def failed(self, window: Window | None = None) -> int:
        """Requests without a complete 2xx answer."""
        return sum(self.failures(window).values())

    def failures(self, window: Window | None = None) -> dict[Outcome, int]:
        """Failed requests per kind, kinds without any left out."""
        counts = Counter(code for _, code in self._outcomes(window) if code != _OK)
        return {_OUTCOMES[code]: count for code, count in sorted(counts.items())}

    def by_color(self, window: Window | None = None) -> dict[str, int]:
        """Complete answers per color, whatever their status; empty key: no color header."""
        return self._answers_by("color", window)

    def by_release(self, window: Window | None = None) -> dict[str, int]:
        """Complete answers per release, whatever their status; empty key: no release header."""
        return self._answers_by("release", window)

    def latencies(self, window: Window | None = None) -> Sequence[float]:
        """Sorted seconds from intended send time to end, of answered and timed-out requests."""
        columns = self._columns
        ended = columns["ended"]
        intended = columns["intended"]
        return sorted(
            ended[index] - intended[index]
            for index, code in self._outcomes(window)
            if code in _TIMED
        )

    def send_delays(self, window: Window | None = None) -> Sequence[float]:
        """Sorted seconds from intended to actual send time, of the requests that were sent."""
        intended, sent = self._columns["intended"], self._columns["sent"]
        delays = (sent[index] - intended[index] for index, _ in self._outcomes(window))
        return sorted(delay for delay in delays if not math.isnan(delay))

    def percentile(self, percent: float, window: Window | None = None) -> float | None:
        """Latency in seconds that `percent` of the requests did not exceed, by nearest rank.

        Answered and timed-out requests count; None when there are none. See `nearest_rank`.
        """
        return nearest_rank(self.latencies(window), percent)

    def achieved_rate(self) -> float:
        """Requests sent per second, over the time from the first intended to the last send."""
        intended = self._columns["intended"]
        sent = [moment for moment in self._columns["sent"] if not math.isnan(moment)]
        if not sent:
            return 0.0
        span = max(max(sent), max(intended)) - min(intended)
        # n evenly spaced sends have n - 1 gaps between the first and the last.
        return (len(sent) - 1) / span if span > 0 else 0.0

    def timeline(self, seconds: float = 1.0) -> list[Bucket]:
        """Answers per color and failures in steps of `seconds`, by intended send time."""
        intended = self._columns["intended"]
        if not intended:
            return []
        first, names = min(intended), list(self._names)
        count = int((max(intended) - first) / seconds) + 1
        answers: list[Counter[str]] = [Counter() for _ in range(count)]
        failed = [0] * count
        columns = (self._columns[name] for name in ("intended", "color", "status", "outcome"))
        for moment, color, status, code in zip(*columns, strict=True):
            step = int((moment - first) / seconds)
            failed[step] += code != _OK
            if status:
                answers[step][names[color]] += 1
        return [
            Bucket(start=step * seconds, answers=dict(answers[step]), failed=failed[step])
            for step in range(count)
        ]

    def save(self, path: Path | str) -> None:
        """Writes the recording to a file; another reader sees all of it or nothing."""
        path = Path(path)
        unfinished = path.with_name(f"{path.name}.unfinished")
        with unfinished.open("wb") as file:
            self.write(file)
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Reads what `save` wrote; raises `ConfigError` when the file is something else."""
        with Path(path).open("rb") as file:
            return cls.read(file, name=str(path))

    def write(self, file: IO[bytes]) -> None:
        """Writes one line that says what it is, one line of JSON, then the columns as they are."""
        about = {
            "requests": len(self),
            "byteorder": sys.byteorder,
            "target_rate": self.target_rate,
            "wall_offset": self.wall_offset,
            "connections_opened": self.connections_opened,
            "idle_closes": self.idle_closes,
            "names": list(self._names),
        }
        file.write(_MAGIC)
        file.write(json.dumps(about).encode() + b"\n")
        for column in self._columns.values():
            file.write(column)

    @classmethod
    def read(cls, file: IO[bytes], *, name: str) -> Self:
        """Reads what `write` wrote, from a file called `name` in messages."""
        if file.readline() != _MAGIC:
            raise ConfigError([f"{name} is not a recording of this version; nothing was read"])
        try:
            about = json.loads(file.readline())
            recording = cls(target_rate=about["target_rate"], wall_offset=about["wall_offset"])
            recording.connections_opened = about["connections_opened"]
            recording.idle_closes = about["idle_closes"]
            recording._names = {text: number for number, text in enumerate(about["names"])}
            for column in recording._columns.values():
                column.frombytes(_exactly(file, about["requests"] * column.itemsize))
                if about["byteorder"] != sys.byteorder:
                    column.byteswap()
        except (ValueError, KeyError, TypeError, EOFError) as error:
            msg = f"{name} is a damaged recording ({error}); nothing was read; make it again"
            raise ConfigError([msg]) from error
        return recording

    def _outcomes(self, window: Window | None) -> Iterator[tuple[int, int]]:
        numbered = enumerate(self._columns["outcome"])
        if window is None:
            return numbered
        first, after = window
        intended = self._columns["intended"]
        return ((index, code) for index, code in numbered if first <= intended[index] < after)

    def _answers_by(self, column: str, window: Window | None) -> dict[str, int]:
        names, values, status = list(self._names), self._columns[column], self._columns["status"]
        counts = Counter(values[index] for index, _ in self._outcomes(window) if status[index])
        return {names[number]: counts[number] for number in sorted(counts)}


def nearest_rank(ordered: Sequence[float], percent: float) -> float | None:
    """The smallest of the sorted values that at least `percent` of them do not exceed.

    This is the value at rank ceil(percent / 100 * n), always one that was measured and never a
    mean of two; None without values. `percent` is above 0 and at most 100 (the maximum).
    """
    if not 0 < percent <= 100:  # noqa: PLR2004
        msg = f"percent: {percent:g} is outside the range above 0 and up to 100"
        raise ConfigError([msg])
    if not ordered:
        return None
    return ordered[math.ceil(percent / 100 * len(ordered)) - 1]


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        msg = f"{size - len(data)} bytes are missing"
        raise EOFError(msg)
    return data
