"""From what a person wrote to the gates that are asked."""

from typing import TypedDict

from bluegreen.gates.approval import ApprovalGate
from bluegreen.gates.capacity import CapacityGate
from bluegreen.gates.command import CommandGate
from bluegreen.gates.dependencies import DependenciesGate
from bluegreen.gates.feature_flags import FeatureFlagsGate
from bluegreen.gates.gate import Gate
from bluegreen.gates.http import HttpGate
from bluegreen.gates.json_schema import JsonSchemaGate
from bluegreen.gates.probe import Probe
from bluegreen.gates.release import ReleaseGate
from bluegreen.gates.suite import SuiteGate
from bluegreen.gates.warm_up import WarmUpCommand, WarmUpRequests
from bluegreen.settings.approval import ApprovalSettings
from bluegreen.settings.command import CommandGateSettings, WarmUpGateSettings
from bluegreen.settings.gate import GateSettings, ProbeSettings
from bluegreen.settings.gates import GatesSettings, HttpGateSettings, ReleaseGateSettings
from bluegreen.settings.looking_gates import (
    DependenciesGateSettings,
    FeatureFlagsGateSettings,
    JsonSchemaGateSettings,
)
from bluegreen.settings.suite import SuiteGateSettings

__all__ = ["build_gates"]

_READY = "ready"


class _Conduct(TypedDict):
    """The fields of `WrittenGate`."""

    name: str
    timeout_seconds: float
    is_slow: bool
    is_dry_run: bool


def build_gates(
    settings: GatesSettings,
    *,
    readiness_path: str | None = None,
    approval: ApprovalSettings | None = None,
) -> tuple[Gate, ...]:
    """The gates of a service, in the order in which their verdicts are shown.

    Args:
        settings: What stands under `service.gates`.
        readiness_path: Path of the service's health check; the gate `ready` asks it, unless the
            settings have a gate of that name. None: no such gate.
        approval: What stands under `approval`; None when nobody has approved anything.
    """
    return (
        *(_warm_up_gate(name, written) for name, written in settings.warm_up.items()),
        *_guards(settings, readiness_path),
        *([_release_gate(settings.release)] if settings.release is not None else []),
        *(_suite_gate(name, written) for name, written in settings.suite.items()),
        *(_dependencies_gate(name, written) for name, written in settings.dependencies.items()),
        *(_feature_flags_gate(name, written) for name, written in settings.feature_flags.items()),
        *(_json_schema_gate(name, written) for name, written in settings.json_schema.items()),
        *(_command_gate(name, written) for name, written in settings.command.items()),
        *(
            [ApprovalGate(approval=approval, hours=settings.approval_hours)]
            if settings.approve
            else []
        ),
    )


def _guards(settings: GatesSettings, readiness_path: str | None) -> list[Gate]:
    """Capacity and readiness, and the other requests."""
    requests = dict(settings.http)
    if readiness_path is not None:
        requests = {_READY: HttpGateSettings(path=readiness_path), **requests}
    capacity = CapacityGate(
        fraction=settings.capacity.fraction, timeout_seconds=settings.capacity.timeout_seconds
    )
    return [capacity, *(_http_gate(name, written) for name, written in requests.items())]


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


def _warm_up_gate(name: str, settings: WarmUpGateSettings) -> Gate:
    if settings.command is not None:
        return WarmUpCommand(
            **_conduct(name, settings),
            arguments=settings.arguments,
            env=settings.env,
            secret_env=settings.secret_env,
        )
    return WarmUpRequests(
        **_conduct(name, settings),
        paths=settings.paths,
        requests=settings.requests,
        concurrency=settings.concurrency,
        request_timeout_seconds=settings.request_timeout_seconds,
    )


def _suite_gate(name: str, settings: SuiteGateSettings) -> SuiteGate:
    return SuiteGate(
        **_conduct(name, settings),
        steps=settings.steps,
        secret_env=settings.secret_env,
        request_timeout_seconds=settings.request_timeout_seconds,
    )


def _dependencies_gate(name: str, settings: DependenciesGateSettings) -> DependenciesGate:
    return DependenciesGate(
        **_conduct(name, settings),
        probe=_probe(settings, "GET"),
        json_equals=settings.json_equals,
        status=settings.status,
    )


def _feature_flags_gate(name: str, settings: FeatureFlagsGateSettings) -> FeatureFlagsGate:
    return FeatureFlagsGate(
        **_conduct(name, settings),
        path=settings.path,
        json_field=settings.json_field,
        must_equal_live=settings.must_equal_live,
        ignore=settings.ignore,
        json_equals=settings.json_equals,
        request_timeout_seconds=settings.request_timeout_seconds,
    )


def _json_schema_gate(name: str, settings: JsonSchemaGateSettings) -> JsonSchemaGate:
    return JsonSchemaGate(
        **_conduct(name, settings),
        probe=_probe(settings, "GET"),
        schema=settings.json_schema,
        status=settings.status,
    )
