"""Which feature flags are on in the rising color, and are they those of the live one?"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bluegreen.gates.answers import Answer, UnusableAnswerError, ask
from bluegreen.gates.expectations import is_same, status_problem
from bluegreen.gates.gate import Deadline, Endpoint, Subject, Verdict, WrittenGate
from bluegreen.gates.wording import one_line

__all__ = ["FeatureFlagsGate", "flag_differences", "flat"]

_OK = 200
_VALUE_LIMIT = 4000
_TOLD = 20
"""That many differences are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureFlagsGate(WrittenGate):
    """Records the flags, and how they differ from the live color's.

    It refuses only where something is demanded; what it cannot fetch is a warning else.
    """

    path: str = "/debug/feature-flags"
    json_field: str | None = None
    must_equal_live: bool = False
    ignore: Sequence[str] = ()
    json_equals: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    timeout_seconds: float = 10
    request_timeout_seconds: float = 5
    interval_seconds: float = 0.5

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Asks both colors, until each has answered or the deadline comes."""
        flags, problem = self._fetch(subject.endpoint, deadline)
        if flags is None:
            return self._verdict(
                f"the flags of {subject.color} are not known: {problem}", is_known=False
            )
        value = one_line(json.dumps(flags, ensure_ascii=False, sort_keys=True), _VALUE_LIMIT)
        unmet = self._unmet(flags)
        if unmet:
            return self._verdict(f"of {subject.color}: {'; '.join(unmet)}", value, passed=False)
        live, endpoint = subject.live_color, subject.live_endpoint
        if live is None or endpoint is None or live is subject.color:
            told = f"{len(flags)} flags of {subject.color}; no other color is live"
            return self._verdict(told, value)
        live_flags, problem = self._fetch(endpoint, deadline)
        if live_flags is None:
            told = (
                f"{len(flags)} flags of {subject.color}; those of {live} are not known: {problem}"
            )
            return self._verdict(told, value, passed=not self.must_equal_live, is_known=False)
        compared = [
            {name: value for name, value in each.items() if name not in self.ignore}
            for each in (live_flags, flags)
        ]
        return self._compared(subject, flag_differences(*compared), value)

    def _compared(self, subject: Subject, differences: Sequence[str], value: str) -> Verdict:
        told = f"the flags of {subject.color} and {subject.live_color}"
        if not differences:
            return self._verdict(f"{told} are the same", value)
        listed = ", ".join(differences[:_TOLD])
        more = f" and {len(differences) - _TOLD} more" if len(differences) > _TOLD else ""
        reason = f"{told} differ: {listed}{more}"
        return self._verdict(reason, value, passed=not self.must_equal_live)

    def _unmet(self, flags: Mapping[str, object]) -> list[str]:
        return [
            f"{name} is {_json(flags[name])}, not {_json(wanted)}"
            if name in flags
            else f"there is no flag {name}"
            for name, wanted in self.json_equals.items()
            if name not in flags or not is_same(flags[name], wanted)
        ]

    def _fetch(self, endpoint: Endpoint, deadline: Deadline) -> tuple[dict[str, Any] | None, str]:
        """The flags by name, or None and why there are none."""
        while True:
            limit = max(0.01, min(self.request_timeout_seconds, deadline.remaining_seconds))
            try:
                return self._flags(ask(endpoint, "GET", self.path, limit)), ""
            except UnusableAnswerError as error:
                problem = one_line(str(error), 500)
            if not deadline.sleep(self.interval_seconds):
                return None, problem

    def _flags(self, answer: Answer) -> dict[str, Any]:
        if problem := status_problem(answer, _OK):
            msg = f"GET {self.path} {problem}"
            raise UnusableAnswerError(msg)
        found = answer.field(self.json_field) if self.json_field else answer.json()
        if not isinstance(found, dict):
            msg = f"GET {self.path}: the flags are {answer.quoted(found)}, not an object"
            raise UnusableAnswerError(msg)
        return dict(flat(found))

    def _verdict(
        self, reason: str, value: str | None = None, *, passed: bool = True, is_known: bool = True
    ) -> Verdict:
        is_demanded = self.must_equal_live or bool(self.json_equals)
        passed = passed and (value is not None or not is_demanded)
        return Verdict(
            gate=self.name,
            passed=passed,
            reason=one_line(reason, 2000),
            value=value,
            limit=self._limit,
            is_warning=passed and not is_known,
        )

    @property
    def _limit(self) -> str:
        demands = [f"{name} {_json(wanted)}" for name, wanted in self.json_equals.items()]
        if self.must_equal_live:
            demands.append("as in the live color")
        return ", ".join(demands) or "none, only recorded"


def flat(flags: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every flag with its levels parted by dots; lists are values."""
    for name, value in flags.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def flag_differences(live: Mapping[str, Any], rising: Mapping[str, Any]) -> list[str]:
    """What changes for a client that comes from the live color, by name. Pure."""
    return [
        _difference(name, live, rising)
        for name in sorted(live.keys() | rising.keys())
        if name not in live or name not in rising or not is_same(live[name], rising[name])
    ]


def _difference(name: str, live: Mapping[str, Any], rising: Mapping[str, Any]) -> str:
    if name not in live:
        return f"{name} is new: {_json(rising[name])}"
    if name not in rising:
        return f"{name} is gone, was {_json(live[name])}"
    return f"{name} {_json(live[name])} → {_json(rising[name])}"


def _json(value: object) -> str:
    return one_line(json.dumps(value, ensure_ascii=False), 80)
