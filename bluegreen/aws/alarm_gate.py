"""Are the alarms of the rising color, and those that somebody names, quiet?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bluegreen.aws.aws_session import AwsSession
from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.gates.gate import Deadline, Subject, Verdict
from bluegreen.gates.wording import one_line
from bluegreen.settings.aws import AlarmGateSettings, NoDataPolicy

__all__ = ["AlarmGate", "alarm_problems"]

_MOST_NAMES = 100
"""That many one question may be about (CloudWatch)."""

_NO_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmGate:
    """Passes when all alarms are OK; waits for those that are not."""

    aws: AwsSession
    settings: AlarmGateSettings
    own_names: Callable[[Color], Sequence[str]]
    """The names of a color's own alarms; raises `DataPlaneError` when they are not known."""

    name: str = "alarms"
    interval_seconds: float = 2.0

    @property
    def timeout_seconds(self) -> float:
        """As it is set."""
        return self.settings.timeout_seconds

    @property
    def is_slow(self) -> bool:
        """As it is set."""
        return self.settings.slow

    @property
    def is_dry_run(self) -> bool:
        """As it is set."""
        return self.settings.dry_run

    @property
    def runs_first(self) -> bool:
        """Never: it changes nothing."""
        return False

    @property
    def lacks(self) -> str:
        """Nothing: it asks what is there anyway."""
        return ""

    @property
    def runs_in_preview(self) -> bool:
        """Always: it only looks."""
        return True

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Looks until all are quiet, or until the deadline."""
        while True:
            verdict = self._look(subject.color)
            if verdict.passed or not deadline.sleep(self.interval_seconds, met=verdict.reason):
                return verdict

    def _look(self, color: Color) -> Verdict:
        try:
            names = self._names(color)
            states = self._states(names)
        except DataPlaneError as error:
            return Verdict(self.name, passed=False, reason=one_line(str(error), 500))
        problems = alarm_problems(names, states, self.settings.no_data)
        return Verdict(
            self.name,
            passed=not problems,
            reason="; ".join(problems) or f"{len(names)} alarms are quiet",
            value=f"{len(names) - len(problems)} quiet",
            limit=f"{len(names)} quiet",
        )

    def _names(self, color: Color) -> list[str]:
        given = [name.replace("{color}", str(color)) for name in self.settings.names]
        return [*self.own_names(color), *given]

    def _states(self, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(names), _MOST_NAMES):
            answer = self.aws.call(
                "cloudwatch",
                "describe_alarms",
                AlarmNames=list(names[start : start + _MOST_NAMES]),
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                MaxRecords=_MOST_NAMES,
            )
            alarms = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
            found |= {each["AlarmName"]: each for each in alarms}
        return found


def alarm_problems(
    names: Sequence[str], states: Mapping[str, Mapping[str, Any]], no_data: NoDataPolicy
) -> list[str]:
    """What is not quiet, by name, and why. Pure."""
    return [text for name in names if (text := _problem(name, states.get(name), no_data))]


def _problem(name: str, alarm: Mapping[str, Any] | None, no_data: NoDataPolicy) -> str | None:
    if alarm is None:
        return f"there is no alarm {name}"
    state = alarm.get("StateValue")
    if state == "OK" or (state == _NO_DATA and no_data is NoDataPolicy.PASS):
        return None
    if state == _NO_DATA:
        return f"{name} has no data; wait, or set service.aws.alarm_gate.no_data to pass"
    return f"{name} is in {state}: {one_line(str(alarm.get('StateReason') or 'no reason given'))}"
