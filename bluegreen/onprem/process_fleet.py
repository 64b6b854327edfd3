"""The compute of one color: processes of this machine."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from bluegreen.colors import Color
from bluegreen.naming import child_name
from bluegreen.onprem.members import FleetSpec, converge, live_members, matches
from bluegreen.onprem.provider import LiveProvider, differs, plain
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.plan import FleetPlan
from bluegreen.settings.service import ServiceSettings
from bluegreen.transition import FleetState

__all__ = ["Members", "ProcessFleet", "ProcessFleetArgs", "fleet_state_of"]


class _Provider(LiveProvider):
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        inputs = plain(props)
        return dynamic.CreateResult(f"{inputs['service']}-{inputs['color']}", _converge(inputs))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        before, after = plain(olds), plain(news)
        is_new = differs(before, after)
        return dynamic.DiffResult(changes=is_new or not matches(_supervisord(after), _spec(after)))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        outputs = plain(props)
        running = [
            member
            for member in live_members(
                _supervisord(outputs), Color(outputs["color"]), tuple(outputs["ports"])
            )
            if member.is_running
        ]
        return dynamic.ReadResult(id_, outputs | {"replicas": len(running)})

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(_converge(plain(news)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        inputs = plain(props)
        supervisord = _supervisord(inputs)
        if supervisord.is_running():
            converge(supervisord, _spec(inputs | {"replicas": 0}))


def _supervisord(inputs: dict[str, Any]) -> Supervisord:
    return Supervisord(Path(inputs["run_directory"]))


def _spec(inputs: dict[str, Any]) -> FleetSpec:
    return FleetSpec(
        service=inputs["service"],
        color=Color(inputs["color"]),
        release=inputs["release"],
        command=inputs["command"],
        environment=inputs["env"],
        directory=inputs["directory"],
        ports=tuple(inputs["ports"]),
        replicas=inputs["replicas"],
        readiness_path=inputs["readiness_path"],
        readiness_timeout_seconds=inputs["start_timeout_seconds"],
        stop_seconds=inputs["stop_seconds"],
    )


def _converge(inputs: dict[str, Any]) -> dict[str, Any]:
    members = converge(_supervisord(inputs), _spec(inputs))
    return inputs | {"endpoints": [f"http://127.0.0.1:{member.port}" for member in members]}


class Members(dynamic.Resource, module="onprem", name="Members"):
    """The processes of one color: the resource that carries its capacity and its release."""

    release: pulumi.Output[str]
    replicas: pulumi.Output[int]
    endpoints: pulumi.Output[list[str]]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(_Provider(), name, props | {"endpoints": None}, opts)


@dataclass(frozen=True, kw_only=True)
class ProcessFleetArgs:
    """Inputs of `ProcessFleet`."""

    settings: ServiceSettings
    """The service the color belongs to."""

    plan: FleetPlan
    """Release and number of members."""

    directory: Path
    """Working directory of the members."""

    run_directory: pulumi.Input[str]
    """Where the service's process manager is."""

    hooks: pulumi.ResourceHookBinding | None = None
    """Guards, from `ServiceHooks.fleet()`; without them a live release is not protected."""

    after: Sequence[pulumi.Resource] = ()
    """What must have happened before these members may change: anchors, or the active flag."""


class ProcessFleet(pulumi.ComponentResource):
    """The members of one color: one process each, in the color's fixed server slots."""

    release: pulumi.Output[str]
    """The release the members run."""

    replicas: pulumi.Output[int]
    """How many there are."""

    endpoints: pulumi.Output[list[str]]
    """Address of each member."""

    def __init__(
        self, name: str, args: ProcessFleetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("bluegreen:index:ProcessFleet", name, {}, opts)
        self.members = Members(
            child_name(name, "members"),
            _member_inputs(args),
            pulumi.ResourceOptions(parent=self, hooks=args.hooks, depends_on=list(args.after)),
        )
        self.release = self.members.release
        self.replicas = self.members.replicas
        self.endpoints = self.members.endpoints
        self.register_outputs(
            {"release": self.release, "replicas": self.replicas, "endpoints": self.endpoints}
        )


def _member_inputs(args: ProcessFleetArgs) -> dict[str, Any]:
    settings, color = args.settings, args.plan.settings
    onprem = settings.onprem
    command = color.command or onprem.command
    started = {
        "release": color.release,
        "command": command,
        "env": color.env,
        "directory": str(args.directory),
        "ports": list(onprem.ports_of(args.plan.color)),
    }
    return started | {
        "run_directory": args.run_directory,
        "service": settings.name,
        "color": str(args.plan.color),
        "replicas": args.plan.replicas,
        "readiness_path": settings.health_check.path,
        "start_timeout_seconds": onprem.start_timeout_seconds,
        "stop_seconds": settings.drain.stop_seconds,
        "fingerprint": _fingerprint(started),
        # Passwords are often handed over in the environment.
        "env": pulumi.Output.secret(color.env),
    }


def _fingerprint(started: Mapping[str, Any]) -> str:
    text = json.dumps(started, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fleet_state_of(properties: Mapping[str, Any]) -> FleetState:
    """Reads the properties of a fleet's members."""
    return FleetState(
        release=properties["release"],
        fingerprint=properties["fingerprint"],
        replicas=int(properties["replicas"]),
    )
