"""Does the rising color itself say that it runs the wanted release?"""

import json
from dataclasses import dataclass, field
from functools import partial

from bluegreen.gates.answers import Answer
from bluegreen.gates.gate import Deadline, Subject, Verdict, WrittenGate
from bluegreen.gates.probe import Finding, Probe
from bluegreen.gates.wording import one_line

__all__ = ["ReleaseGate"]

_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseGate(WrittenGate):
    """Passes when enough answers in a row name the release that the color is expected to run."""

    name: str = "release"
    probe: Probe = field(default_factory=lambda: Probe(path="/version"))
    json_field: str = "version"

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Asks until enough good answers came in a row, or until the deadline."""
        series = self.probe.run(subject.endpoint, deadline, partial(self._judge, subject))
        passed = not series.problem
        return Verdict(
            gate=self.name,
            passed=passed,
            reason=f"{subject.color} says it runs {series.value},"
            f" {self.probe.consecutive} times in a row"
            if passed
            else series.problem,
            value=series.value,
            limit=subject.release,
        )

    def _judge(self, subject: Subject, answer: Answer) -> Finding:
        if answer.status != _OK:
            said = f": {answer.excerpt}" if answer.excerpt else ""
            return Finding("", f"{self.probe.path} answered {answer.status}, not {_OK}{said}")
        found = answer.field(self.json_field)
        value = _release(found)
        if value is None:
            what = one_line(json.dumps(found, ensure_ascii=False))
            return Finding(
                what, f"{self.json_field} is {what}, not a text such as {_text(subject)}"
            )
        if value != subject.release:
            problem = (
                f"{subject.color} says it runs {one_line(value)}, not {subject.release};"
                f" deploy {subject.release} to {subject.color}, or correct {subject.color}.release"
            )
            return Finding(one_line(value), problem)
        return Finding(value)


def _release(found: object) -> str | None:
    if isinstance(found, str):
        return found
    # A build number loses nothing on the way to a text; 1.10 as a number has already become 1.1.
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else None


def _text(subject: Subject) -> str:
    return json.dumps(subject.release, ensure_ascii=False)
