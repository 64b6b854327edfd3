"""Does the rising color answer a request as it should?"""

import json
from dataclasses import dataclass

from bluegreen.gates.answers import Answer
from bluegreen.gates.expectations import field_problem, status_problem
from bluegreen.gates.gate import Deadline, Subject, Verdict, WrittenGate
from bluegreen.gates.probe import Finding, Probe
from bluegreen.gates.wording import one_line

__all__ = ["HttpGate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGate(WrittenGate):
    """Passes when enough answers in a row have the status, and the JSON field, that they should.

    It asks the color-pinned address, each time over a new connection, and follows no redirect.
    """

    probe: Probe
    status: int = 200
    json_field: str | None = None
    json_equals: str | int | float | bool | None = None
    """With None, `json_field` must only be there and not be null."""

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Asks until enough good answers came in a row, or until the deadline."""
        series = self.probe.run(subject.endpoint, deadline, self._judge)
        passed = not series.problem
        request = f"{self.probe.method} {self.probe.path}"
        return Verdict(
            gate=self.name,
            passed=passed,
            reason=f"{request} gave {series.value}, {self.probe.consecutive} times in a row"
            if passed
            else series.problem,
            value=series.value,
            limit=self._limit,
        )

    @property
    def _limit(self) -> str:
        if self.json_field is None:
            return str(self.status)
        wanted = "anything but null" if self.json_equals is None else _json(self.json_equals)
        return f"{self.status}, {self.json_field} {wanted}"

    def _judge(self, answer: Answer) -> Finding:
        request = f"{self.probe.method} {self.probe.path}"
        if problem := status_problem(answer, self.status):
            return Finding(str(answer.status), f"{request} {problem}")
        if self.json_field is None:
            return Finding(str(answer.status))
        problem = field_problem(answer, self.json_field, self.json_equals)
        found = answer.quoted(answer.field(self.json_field))
        value = f"{answer.status}, {self.json_field} {found}"
        return Finding(value, f"{request}: {problem}" if problem else "")


def _json(value: object) -> str:
    return one_line(json.dumps(value, ensure_ascii=False))
