"""The compute of one color: processes of this machine."""

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from bluegreen.colors import Color
from bluegreen.errors import BlueGreenError, DataPlaneError
from bluegreen.naming import child_name
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime, ProxyNotRunningError
from bluegreen.onprem.members import (
    FleetSpec,
    Member,
    converge,
    end_members,
    live_members,
    matches,
)
from bluegreen.onprem.provider import LiveProvider, LiveResource, plain
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.server_slots import ServerSlots
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import MapFile, RoutedTraffic
from bluegreen.plan import FleetPlan
from bluegreen.settings.service import ServiceSettings
from bluegreen.transition import FleetState

__all__ = ["Members", "ProcessFleet", "ProcessFleetArgs", "fleet_state_of"]


_COMPUTED = ("endpoints", "running")
_DRAIN_POLL_SECONDS = 0.05


class _Provider(LiveProvider):
    computed = _COMPUTED

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        inputs = plain(props)
        try:
            outputs = _converge(inputs)
        except BlueGreenError:
            _take_back(inputs)
            raise
        return dynamic.CreateResult(f"{inputs['service']}-{inputs['color']}", outputs)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        after = plain(news)
        is_drift = not matches(_supervisord(after), _spec(after)) or _slots(after).are_left_out()
        return dynamic.DiffResult(changes=self.has_new_inputs(olds, news) or is_drift)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Says what runs; what the color is meant to have stays what the last update made of it."""
        outputs, supervisord = plain(props), _supervisord(props)
        if supervisord.find_programs() is None:
            return dynamic.ReadResult(id_, outputs)
        members = live_members(supervisord, Color(outputs["color"]), outputs["ports"])
        return dynamic.ReadResult(id_, outputs | {"running": _running(members)})

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(_converge(plain(news)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        outputs = plain(props)
        supervisord = _supervisord(outputs)
        if not supervisord.is_anothers:
            _drain(outputs)
            end_members(supervisord, Color(outputs["color"]))


def _supervisord(inputs: dict[str, Any]) -> Supervisord:
    return Supervisord(_run(inputs).path, inputs.get("owner"))


def _run(inputs: dict[str, Any]) -> RunDirectory:
    return RunDirectory(Path(inputs["run_directory"]))


def _runtime(inputs: dict[str, Any]) -> HaproxyRuntime:
    run = _run(inputs)
    return HaproxyRuntime(str(run.stats_socket), master_address=str(run.master_socket))


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
    members = converge(_supervisord(inputs), _spec(inputs), _slots(inputs))
    return inputs | {
        "endpoints": [f"http://127.0.0.1:{member.port}" for member in members],
        "running": _running(members),
    }


def _slots(inputs: dict[str, Any]) -> ServerSlots:
    color = Color(inputs["color"])
    return ServerSlots(
        runtime=_runtime(inputs),
        backend=RoutedTraffic.of_service(inputs["service"]).backends[color],
        color=color,
        drain_seconds=inputs.get("drain_seconds", 0),
        is_live=_has_traffic(inputs),
    )


def _running(members: Sequence[Member]) -> int:
    return sum(member.is_running for member in members)


def _take_back(inputs: dict[str, Any]) -> None:
    """Ends the members of a color that could not be made: what is not in the state must not run.

    Unless they have traffic: then the state was lost, and they are the production it knew of.
    """
    # Whatever goes wrong here must not hide why the color could not be made.
    with contextlib.suppress(BlueGreenError):
        if not _has_traffic(inputs):
            end_members(_supervisord(inputs), Color(inputs["color"]))


def _has_traffic(inputs: dict[str, Any]) -> bool:
    traffic = RoutedTraffic.of_service(inputs["service"])
    try:
        value = MapFile(_run(inputs).traffic_map).read(inputs["service"])
        route = traffic.decode(value) if value is not None else None
    except DataPlaneError:
        # Nobody can tell, so it may have.
        return True
    return route is not None and route.split.share_of(Color(inputs["color"])) > 0


def _drain(outputs: dict[str, Any]) -> None:
    """Waits, for a limited time, until the proxy knows of no request that a color works on."""
    runtime = _runtime(outputs)
    backend = RoutedTraffic.of_service(outputs["service"]).backends[Color(outputs["color"])]
    end = time.monotonic() + outputs.get("drain_seconds", 0)
    while time.monotonic() < end:
        try:
            if runtime.backend(backend).sessions == 0:
                return
        except ProxyNotRunningError:
            return
        except DataPlaneError:
            # It is there and does not answer: its requests may still be under way.
            pass
        time.sleep(_DRAIN_POLL_SECONDS)


class Members(LiveResource, module="onprem", name="Members"):
    """The processes of one color: the resource that carries its capacity and its release."""

    release: pulumi.Output[str]
    """The release that the members run."""

    replicas: pulumi.Output[int]
    """How many there are to be."""

    running: pulumi.Output[int]
    """How many ran when the last update or refresh looked."""

    endpoints: pulumi.Output[list[str]]
    """Address of each member."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(_Provider(), name, props | dict.fromkeys(_COMPUTED), opts)


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

    owner: pulumi.Input[str] = ""
    """Whose run directory it is, as its `Supervisor` says: members are not started or ended in the
    directory of somebody else. Empty: nobody looks."""

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
    ports = onprem.ports_of(args.plan.color)
    started = {
        "release": color.release,
        "command": command,
        "env": color.env,
        "directory": str(args.directory),
    }
    return started | {
        "run_directory": args.run_directory,
        "owner": args.owner,
        "service": settings.name,
        "color": str(args.plan.color),
        "ports": list(ports),
        "replicas": args.plan.replicas,
        "readiness_path": settings.health_check.path,
        "start_timeout_seconds": onprem.start_timeout_seconds,
        "stop_seconds": settings.drain.stop_seconds,
        "drain_seconds": settings.drain.timeout_seconds,
        # Passwords are often handed over in the environment; a hash of it could be guessed at.
        "env": pulumi.Output.secret(color.env),
        "fingerprint": pulumi.Output.secret(_fingerprint(started | {"first_port": ports[0]})),
    }


def _fingerprint(started: Mapping[str, Any]) -> str:
    """Changes with what makes members other members; more of them, or room for more, does not."""
    text = json.dumps(started, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fleet_state_of(properties: Mapping[str, Any]) -> FleetState:
    """Reads the properties of a fleet's members."""
    return FleetState(
        release=properties["release"],
        fingerprint=properties["fingerprint"],
        replicas=int(properties["replicas"]),
    )
