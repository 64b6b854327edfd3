"""Asking all gates at the same time, and saying together what they refused."""

import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from bluegreen.gates.gate import Deadline, Gate, Subject, Verdict
from bluegreen.gates.wording import error_text, one_line, seconds

__all__ = ["GRACE_SECONDS", "ask_again", "refusal_text", "run_gates"]

GRACE_SECONDS = 0.5
"""How long after a gate's limit its own verdict still counts: it knows better why time ran out."""

_FRESH_SECONDS = 1.0
_DETAIL_LIMIT = 4096


class _Asked:
    """One gate that was asked, in a thread of its own."""

    def __init__(self, gate: Gate, subject: Subject, limit_seconds: float) -> None:
        self._gate = gate
        self._subject = subject
        self._limit_seconds = limit_seconds
        self._deadline = Deadline(limit_seconds)
        self._started = time.monotonic()
        self._is_done = threading.Event()
        self._verdict: Verdict | None = None
        # A daemon: a check that hangs for ever must not keep the interpreter from ending.
        self._thread = threading.Thread(
            target=self._run, name=f"bluegreen-gate-{gate.name}", daemon=True
        )
        self._thread.start()

    def verdict(self) -> Verdict:
        """What the gate says; a refusal when it says nothing in time."""
        left = self._started + self._limit_seconds + GRACE_SECONDS - time.monotonic()
        if self._is_done.wait(max(0.0, left)) and self._verdict is not None:
            return self._verdict
        met = f"; before: {self._deadline.met}" if self._deadline.met else ""
        return Verdict(
            gate=self._gate.name,
            passed=False,
            reason=f"no verdict within {seconds(self._limit_seconds)}{met}",
            limit=f"a verdict within {seconds(self._limit_seconds)}",
            duration_seconds=time.monotonic() - self._started,
        )

    def stop(self) -> None:
        """Ends the gate's waiting."""
        self._deadline.stop()

    def _run(self) -> None:
        try:
            lacks = self._gate.lacks
            found: object = (
                Verdict(self._gate.name, passed=False, reason=f"did not run: {lacks}")
                if lacks
                else self._gate.check(self._subject, self._deadline)
            )
            verdict = _complete(self._gate.name, found)
        # SystemExit too: in a thread it would end the gate without a verdict and without a word.
        except BaseException as error:  # noqa: BLE001
            verdict = _refused(self._gate.name, error)
        duration = time.monotonic() - self._started
        # What could not judge has demanded at least that.
        limit = verdict.limit or f"a verdict within {seconds(self._limit_seconds)}"
        self._verdict = replace(verdict, duration_seconds=duration, limit=limit)
        self._is_done.set()


def run_gates(
    gates: Sequence[Gate],
    subject: Subject,
    *,
    timeout_seconds: float,
    on_start: Callable[[str], None] | None = None,
) -> tuple[Verdict, ...]:
    """Asks gates, each in a daemon thread, and returns their verdicts in the same order.

    Those that prepare the color go first; once all of them have passed, the others are asked at
    the same time. A gate that raises, or is silent at its limit, refuses; a hung one is left
    behind. A rollback skips slow gates. A dry run never refuses.

    Args:
        gates: What to ask.
        subject: The color that is about to get more traffic.
        timeout_seconds: Limit for all together; returns at most half a second after it.
        on_start: Called in this thread with the name of each gate that is asked, before it is.
    """
    ends = time.monotonic() + timeout_seconds
    verdicts: dict[int, Verdict] = {
        index: _skipped(gate)
        for index, gate in enumerate(gates)
        if subject.is_rollback and gate.is_slow
    }
    for is_first in (True, False):
        stage = {
            index: gate
            for index, gate in enumerate(gates)
            if gate.runs_first is is_first and index not in verdicts
        }
        refused = [verdict.gate for verdict in verdicts.values() if not verdict.passed]
        if refused:
            verdicts |= {index: _not_asked(gate, refused[0]) for index, gate in stage.items()}
        else:
            left = max(0.0, ends - time.monotonic())
            verdicts |= _run_stage(stage, subject, left, on_start)
    return tuple(verdicts[index] for index in range(len(gates)))


def _run_stage(
    gates: Mapping[int, Gate],
    subject: Subject,
    timeout_seconds: float,
    on_start: Callable[[str], None] | None,
) -> dict[int, Verdict]:
    asked: dict[int, _Asked] = {}
    try:
        for index, gate in gates.items():
            if on_start is not None:
                on_start(gate.name)
            asked[index] = _Asked(gate, subject, min(gate.timeout_seconds, timeout_seconds))
        return {index: _acted_on(gates[index], one.verdict()) for index, one in asked.items()}
    finally:
        # Only matters when the caller was interrupted: else each gate spoke or is past its limit.
        for one in asked.values():
            one.stop()


def ask_again(
    gates: Sequence[Gate],
    subject: Subject,
    verdicts: Sequence[Verdict],
    *,
    timeout_seconds: float,
) -> tuple[Verdict, ...]:
    """The same verdicts, but of now: a member may have died while a slow gate was at work.

    Only gates that look and spoke well over a second before the last one are asked a second time,
    and none when one has refused. The time of the first asking counts against the limit.
    """
    first = {gate.name for gate in gates if gate.runs_first}
    prepared = max((each.duration_seconds for each in verdicts if each.gate in first), default=0.0)
    last = max((each.duration_seconds for each in verdicts if each.gate not in first), default=0.0)
    outdated = {
        verdict.gate for verdict in verdicts if verdict.duration_seconds + _FRESH_SECONDS < last
    }
    looking = [
        gate
        for gate in gates
        if gate.runs_in_preview and not gate.runs_first and gate.name in outdated
    ]
    if not looking or not all(verdict.passed for verdict in verdicts):
        return tuple(verdicts)
    limit = max(_FRESH_SECONDS, timeout_seconds - prepared - last)
    fresh = {each.gate: each for each in run_gates(looking, subject, timeout_seconds=limit)}
    return tuple(fresh.get(verdict.gate, verdict) for verdict in verdicts)


def refusal_text(subject: Subject, verdicts: Iterable[Verdict]) -> str:
    """Why the color gets no more traffic: a headline, then one line per gate that refused."""
    verdicts = tuple(verdicts)
    refused = [verdict for verdict in verdicts if verdict.was_asked and not verdict.passed]
    move = "rolling back" if subject.is_rollback else "switching"
    gates = "gate" if len(verdicts) == 1 else "gates"
    headline = (
        f"not {move} to {subject.color} {subject.release}:"
        f" {len(refused)} of {len(verdicts)} {gates} refused; production traffic has not moved"
    )
    return "\n".join([headline, *(f"  {one.gate}: {one.reason}" for one in refused)])


def _acted_on(gate: Gate, verdict: Verdict) -> Verdict:
    """What a verdict means: that of a dry run is told, and moves nothing."""
    if verdict.passed or not gate.is_dry_run:
        return verdict
    return replace(verdict, passed=True, is_warning=True, would_refuse=True)


def _skipped(gate: Gate) -> Verdict:
    return Verdict(gate.name, passed=True, reason="skipped in a rollback", was_asked=False)


def _not_asked(gate: Gate, refused: str) -> Verdict:
    reason = f"{refused}, which goes first, has refused"
    return Verdict(gate.name, passed=False, reason=reason, was_asked=False)


def _refused(name: str, error: BaseException) -> Verdict:
    lines = "".join(traceback.format_exception(error))
    return Verdict(gate=name, passed=False, reason=error_text(error), detail=lines[-_DETAIL_LIMIT:])


def _complete(name: str, found: object) -> Verdict:
    if not isinstance(found, Verdict):
        reason = f"the gate returned {one_line(repr(found))} instead of a verdict"
        return Verdict(gate=name, passed=False, reason=reason)
    return replace(found, gate=name, reason=found.reason.strip() or "the gate gave no reason")
