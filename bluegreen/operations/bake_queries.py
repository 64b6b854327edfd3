"""The `promql` gates of a service, asked of the color that is live while it is watched."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

from pydantic import ValidationError

from bluegreen.colors import Color
from bluegreen.gates.build_promql import prometheus_server, promql_gate
from bluegreen.gates.gate import Deadline, Endpoint, Readiness, Subject, Verdict
from bluegreen.gates.promql import PromqlGate
from bluegreen.operations.stack_file import StackConfig
from bluegreen.settings.measuring_gates import PrometheusSettings, PromqlGateSettings

__all__ = ["BakeQueries", "Looked", "queries_of"]

_ASKING_SECONDS = 5.0
"""A server that does not answer by then is asked again at the next look."""


def queries_of(config: StackConfig, color: Color, url: str) -> Callable[[float], list[Verdict]]:
    """Asks those gates whose window has passed since the watch began; an asking takes a moment.

    What is wrong in the config is no matter of this: the program has refused it before.
    """
    gates = _gates(config)
    subject = Subject(
        color=color,
        release=str(config.color(color).get("release")),
        replicas=0,
        endpoint=Endpoint(url.rstrip("/")),
        readiness=lambda _: Readiness(0, 0),
        live_color=color,
        service=str(config.service.get("name")),
    )

    def ask(elapsed_seconds: float) -> list[Verdict]:
        due = [each for each in gates if each.window_seconds <= elapsed_seconds]
        return [_verdict(each, subject) for each in due]

    return ask


def _gates(config: StackConfig) -> list[PromqlGate]:
    gates = config.service.get("gates")
    written = gates if isinstance(gates, dict) else {}
    try:
        server = prometheus_server(PrometheusSettings.model_validate(written.get("prometheus")))
        return [
            promql_gate(name, PromqlGateSettings.model_validate(each), server)
            for name, each in (written.get("promql") or {}).items()
        ]
    except (ValidationError, AttributeError):
        return []


def _verdict(gate: PromqlGate, subject: Subject) -> Verdict:
    # The color has been there for so long already.
    at_once = replace(gate, window_seconds=0)
    verdict = at_once.check(subject, Deadline(min(gate.timeout_seconds, _ASKING_SECONDS)))
    if not gate.is_dry_run:
        return verdict
    return replace(verdict, passed=True, would_refuse=not verdict.passed)


@dataclass(frozen=True, slots=True)
class Looked:
    """What the askings so far mean."""

    breaches: tuple[str, ...] = ()
    """Gates whose value did not keep to its limit in two askings in a row."""

    warnings: tuple[str, ...] = ()
    """The same once, or in a dry run, and what gives no value: no reason to move production."""


class BakeQueries:
    """One asking after the other, beside the watch."""

    def __init__(self, ask: Callable[[float], Sequence[Verdict]], pool: Executor) -> None:
        self._ask = ask
        self._pool = pool
        self._asking: Future[Sequence[Verdict]] | None = None
        self._failing: Mapping[str, str] = {}
        self._looked = Looked()

    def look(self, elapsed_seconds: float) -> Looked:
        """What is known by now; begins the next asking where the last one is done."""
        if self._asking is None or self._asking.done():
            if self._asking is not None:
                self._take(self._asking.result())
            self._asking = self._pool.submit(self._ask, elapsed_seconds)
        return self._looked

    def _take(self, verdicts: Sequence[Verdict]) -> None:
        bad = {each.gate: str(each) for each in verdicts if not each.passed or each.would_refuse}
        measured = {
            each.gate: bad[each.gate]
            for each in verdicts
            if not each.passed and each.value is not None
        }
        breaches = {gate: told for gate, told in measured.items() if gate in self._failing}
        self._failing = measured
        self._looked = Looked(
            tuple(breaches.values()),
            tuple(told for gate, told in bad.items() if gate not in breaches),
        )
