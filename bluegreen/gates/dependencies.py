"""Does the rising color reach everything that it depends on?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bluegreen.gates.answers import Answer, UnusableAnswerError
from bluegreen.gates.expectations import field_problem, status_problem
from bluegreen.gates.gate import Deadline, Subject, Verdict, WrittenGate
from bluegreen.gates.probe import Finding, Probe

__all__ = ["DependenciesGate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DependenciesGate(WrittenGate):
    """Passes when enough answers in a row say of every dependency what they should.

    Whatever the status is, each dependency is told: an application that misses one rarely says 200.
    """

    probe: Probe
    json_equals: Mapping[str, str | int | float | bool]
    """The field of each dependency, and what it must be."""

    status: int = 200

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Asks until enough good answers came in a row, or until the deadline."""
        series = self.probe.run(subject.endpoint, deadline, self._judge)
        passed = not series.problem
        return Verdict(
            gate=self.name,
            passed=passed,
            reason=f"{series.value}, {self.probe.consecutive} times in a row"
            if passed
            else series.problem,
            value=series.value,
            limit=", ".join(
                f"{name} {json.dumps(want)}" for name, want in self.json_equals.items()
            ),
        )

    def _judge(self, answer: Answer) -> Finding:
        values, problems = [], [status_problem(answer, self.status)]
        for name, wanted in self.json_equals.items():
            try:
                problems.append(field_problem(answer, name, wanted))
                values.append(f"{name} {answer.quoted(answer.field(name))}")
            except UnusableAnswerError as error:
                problems.append(str(error))
        # Without JSON, the same is said of every field.
        told = "; ".join(dict.fromkeys(filter(None, problems)))
        value = ", ".join(values) or str(answer.status)
        return Finding(value, f"{self.probe.method} {self.probe.path}: {told}" if told else "")
