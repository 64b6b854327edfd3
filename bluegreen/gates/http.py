"""Does the rising color answer a request as it should?"""

import json
from dataclasses import dataclass

from bluegreen.gates.answers import Answer
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
        wanted = "anything but null" if self.json_equals is None else _quoted(self.json_equals)
        return f"{self.status}, {self.json_field} {wanted}"

    def _judge(self, answer: Answer) -> Finding:
        request = f"{self.probe.method} {self.probe.path}"
        if answer.status != self.status:
            return Finding(str(answer.status), f"{request} {_other_status(answer, self.status)}")
        if self.json_field is None:
            return Finding(str(answer.status))
        found = answer.field(self.json_field)
        value = f"{answer.status}, {self.json_field} {_quoted(found)}"
        if self.json_equals is None:
            problem = f"{request}: {self.json_field} is null" if found is None else ""
        elif _equal(found, self.json_equals):
            problem = ""
        else:
            is_, wanted = _quoted(found), _quoted(self.json_equals)
            problem = f"{request}: {self.json_field} is {is_}, not {wanted}"
        return Finding(value, problem)


def _other_status(answer: Answer, wanted: int) -> str:
    if answer.location is not None:
        where = one_line(answer.location)
        return (
            f"answered {answer.status}, a redirect to {where}, not {wanted};"
            f" redirects are not followed, ask for the path that answers itself"
        )
    said = f": {answer.excerpt}" if answer.excerpt else ""
    return f"answered {answer.status}, not {wanted}{said}"


def _quoted(value: object) -> str:
    return one_line(json.dumps(value, ensure_ascii=False))


def _equal(found: object, wanted: object) -> bool:
    # In Python True equals 1; in JSON it does not.
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)
