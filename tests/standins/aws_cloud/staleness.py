"""Reads that answer as if the last write had not been, as AWS may for a while."""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BackendDict

from tests.standins.aws_cloud.calls import Asked

__all__ = ["Staleness"]

_MOTO_NAMES = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}


@dataclass
class _Lag:
    calls: int
    seconds: float


@dataclass
class _Before:
    """How a service was before a write."""

    backend: Any
    reads_left: int
    until: float


class Staleness:
    """Of each service that is to lag, a copy of how it was before its latest write."""

    def __init__(self) -> None:
        self._lags: dict[str, _Lag] = {}
        self._before: dict[tuple[str, str], _Before] = {}

    def add(self, service: str, calls: int, seconds: float) -> None:
        """From the next write on, so many reads or so long."""
        self._lags[service] = _Lag(calls, seconds)

    def clear(self) -> None:
        """Every read is up to date again."""
        self._lags.clear()
        self._before.clear()

    def before_write(self, asked: Asked, account: str) -> None:
        """Keeps how it is now, if its reads are to lag."""
        lag = self._lags.get(asked.service)
        if lag:
            until = time.monotonic() + lag.seconds if lag.seconds else float("inf")
            backend = _copied(asked.service, account, asked.region)
            calls = lag.calls if not lag.seconds else 1 << 30
            self._before[asked.service, asked.region] = _Before(backend, calls, until)

    @contextmanager
    def during_read(self, asked: Asked, account: str) -> Iterator[None]:
        """Makes the service be as it was, if this read is to be late."""
        before = self._before.get((asked.service, asked.region))
        if before is None or before.reads_left <= 0 or before.until < time.monotonic():
            yield
            return
        before.reads_left -= 1
        regions = _backends(asked.service)[account]
        now = regions[asked.region]
        regions[asked.region] = before.backend
        try:
            yield
        finally:
            regions[asked.region] = now


def _backends(service: str) -> Any:
    return get_backend(_MOTO_NAMES.get(service, service))  # type: ignore[call-overload]


def _copied(service: str, account: str, region: str) -> Any:
    """A copy of one service's state; that of the others, which it refers to, is not copied."""
    own = _backends(service)[account][region]
    others = {
        id(backend): backend
        for each in list(BackendDict._instances)  # type: ignore[misc]
        for regions in each.values()
        for backend in regions.values()
        if backend is not own
    }
    return copy.deepcopy(own, others)
