"""From what a person wrote to the gates that are asked."""

from collections.abc import Sequence
from typing import TypedDict

from bluegreen.gates.capacity import CapacityGate
from bluegreen.gates.command import CommandGate
from bluegreen.gates.gate import Gate
from bluegreen.gates.http import HttpGate
from bluegreen.gates.probe import Probe
from bluegreen.gates.release import ReleaseGate
from bluegreen.settings.gate import GateSettings, ProbeSettings
from bluegreen.settings.gates import (
    CommandGateSettings,
    GatesSettings,
    HttpGateSettings,
    ReleaseGateSettings,
)

__all__ = ["build_gates"]

_READY = "ready"


class _Conduct(TypedDict):
    """The fields of `WrittenGate`."""

    name: str
    timeout_seconds: float
    is_slow: bool
    is_dry_run: bool


def build_gates(settings: GatesSettings, *, readiness_path: str | None = None) -> tuple[Gate, ...]:
    """The gates of a service, in the order in which their verdicts are shown.

    Args:
        settings: What stands under `service.gates`.
        readiness_path: Path of the service's health check; the gate `ready` asks it, unless the
            settings have a gate of that name. None: no such gate.
    """
    requests = dict(settings.http)
    if readiness_path is not None:
        built_in = {_READY: HttpGateSettings(path=readiness_path)}
        requests = {**built_in, **requests}
    gates: list[Gate] = [
        CapacityGate(
            fraction=settings.capacity.fraction, timeout_seconds=settings.capacity.timeout_seconds
        )
    ]
    gates += [_http_gate(name, written) for name, written in requests.items()]
    if settings.release is not None:
        gates.append(_release_gate(settings.release))
    gates += [_command_gate(name, written) for name, written in settings.command.items()]
    gates += _measuring_gates(settings)
    return tuple(gates)


def _conduct(name: str, settings: GateSettings) -> _Conduct:
    return _Conduct(
        name=name,
        timeout_seconds=settings.timeout_seconds,
        is_slow=settings.slow,
        is_dry_run=settings.dry_run,
    )


def _http_gate(name: str, settings: HttpGateSettings) -> HttpGate:
    return HttpGate(
        **_conduct(name, settings),
        probe=_probe(settings, settings.method),
        status=settings.status,
        json_field=settings.json_field,
        json_equals=settings.json_equals,
    )


def _release_gate(settings: ReleaseGateSettings) -> ReleaseGate:
    return ReleaseGate(
        **_conduct("release", settings),
        probe=_probe(settings, "GET"),
        json_field=settings.json_field,
    )


def _command_gate(name: str, settings: CommandGateSettings) -> CommandGate:
    return CommandGate(
        **_conduct(name, settings),
        arguments=settings.arguments,
        env=settings.env,
        secret_env=settings.secret_env,
    )


def _probe(settings: ProbeSettings, method: str) -> Probe:
    return Probe(
        path=settings.path,
        method=method,
        consecutive=settings.consecutive,
        interval_seconds=settings.interval_seconds,
        request_timeout_seconds=settings.request_timeout_seconds,
    )


def _measuring_gates(settings: GatesSettings) -> Sequence[Gate]:
    if not (settings.latency or settings.errors or settings.promql or settings.load):
        return ()
    # They stand on a good deal of code that a service without them need not load.
    from bluegreen.gates.build_measuring import build_measuring_gates  # noqa: PLC0415

    return build_measuring_gates(settings)
