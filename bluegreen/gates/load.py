"""Does the rising color bear a steady load?"""

from dataclasses import dataclass, field

from bluegreen.gates.answers import UnusableAnswerError
from bluegreen.gates.gate import Deadline, Subject, Verdict, WrittenGate
from bluegreen.gates.latency import quantile_name
from bluegreen.gates.paced import OwnRequests, send
from bluegreen.gates.statistics import Shares
from bluegreen.gates.wording import seconds
from bluegreen.load import Recording

__all__ = ["LoadGate"]

_LATE_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadGate(WrittenGate):
    """Passes when a quantile of the latency and the share of failed requests keep to limits.

    Latency counts from the moment a request was due, so that a stall is seen by every request that
    it held up. A request fails without a complete 2xx answer in time.
    """

    name: str = "load"
    requests: OwnRequests = field(default_factory=OwnRequests)
    window_seconds: float = 30
    quantile: float = 0.99
    limit_seconds: float = 0.5
    max_error_share: float = 0
    timeout_seconds: float = 40
    is_slow: bool = True

    @property
    def runs_in_preview(self) -> bool:
        """Never: nobody expects load from a preview."""
        return False

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Sends the load, once."""
        try:
            (recording,) = send(self.requests, [subject.endpoint], self.window_seconds, deadline)
        except UnusableAnswerError as error:
            return Verdict(gate=self.name, passed=False, reason=str(error), limit=self._limit)
        return self._judge(subject, recording)

    def _judge(self, subject: Subject, recording: Recording) -> Verdict:
        failures = recording.failures()
        failed = Shares(sum(failures.values()), len(recording))
        latency = recording.percentile(self.quantile * 100)
        name = quantile_name(self.quantile)
        shown = "no answer" if latency is None else f"{name} {seconds(latency)}"
        problems = []
        if latency is None or latency > self.limit_seconds:
            problems.append(f"{name} is above {seconds(self.limit_seconds)}")
        if failed.share > self.max_error_share:
            kinds = ", ".join(f"{count} {kind}" for kind, count in failures.items())
            problems.append(f"more than {self.max_error_share * 100:g} % failed ({kinds})")
        late = recording.achieved_rate() < (1 - _LATE_SHARE) * recording.target_rate
        reason = f"{subject.color} answered with {shown}, {failed} failed"
        if problems:
            reason += f"; {', and '.join(problems)}"
        if late:
            reason += (
                f"; only {recording.achieved_rate():.0f} of {recording.target_rate:g} requests a"
                " second were sent"
            )
        return Verdict(
            gate=self.name,
            passed=not problems,
            reason=reason,
            value=f"{shown}, {failed} failed",
            limit=self._limit,
            is_warning=late and not problems,
        )

    @property
    def _limit(self) -> str:
        name = quantile_name(self.quantile)
        return f"{name} {seconds(self.limit_seconds)}, {self.max_error_share * 100:g} % failed"
