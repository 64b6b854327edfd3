"""Moves production traffic between two backends of HAProxy: one runtime command, one map key."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.naming import child_name
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime, ProxyNotRunningError
from bluegreen.onprem.provider import LiveProvider, LiveResource, plain
from bluegreen.onprem.traffic_map import NOTHING_IS_LIVE, MapFile, RoutedTraffic
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["GUARANTEE", "HaproxyRoute", "HaproxyRouter", "HaproxyRouterArgs", "route_of"]

GUARANTEE = "single write"
"""The guarantee class: production and test follow one value, changed by one command."""


_COMPUTED = ("guarantee", "write_ms", "durable_write_ms", "written_at")


class _Provider(LiveProvider):
    computed = _COMPUTED

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        inputs = plain(props)
        return dynamic.CreateResult(f"{inputs['map_path']}#{inputs['map_key']}", _write(inputs))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        after = plain(news)
        # The file counts as much as the memory: the proxy's next start would go by it.
        is_drift = {_live_value(after), _file_value(after)} != {_value(after)}
        return dynamic.DiffResult(changes=self.has_new_inputs(olds, news) or is_drift)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        outputs = plain(props)
        try:
            route = _traffic(outputs).decode(_live_value(outputs) or NOTHING_IS_LIVE)
        except DataPlaneError:
            # What cannot be read cannot be taken over; the next update repairs it.
            return dynamic.ReadResult(id_, outputs)
        if route is None:
            return dynamic.ReadResult("", {})
        return dynamic.ReadResult(id_, outputs | _shares(route))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(_write(plain(news)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        outputs = plain(props)
        try:
            _route_to(outputs, NOTHING_IS_LIVE)
        except ProxyNotRunningError:
            # A proxy that is gone routes nothing any more.
            return


def _traffic(inputs: dict[str, Any]) -> RoutedTraffic:
    return RoutedTraffic({color: inputs[f"{color}_backend"] for color in Color})


def _shares(route: Route) -> dict[str, Any]:
    shares = {f"{color}_percent": share for color, share in route.split}
    return {"active_color": str(route.active), **shares}


def _value(inputs: dict[str, Any]) -> str:
    route = route_of(inputs)
    return _traffic(inputs).encode(route) if route else NOTHING_IS_LIVE


def _live_value(inputs: dict[str, Any]) -> str | None:
    """What the proxy has in memory; while it is down, what it will start with."""
    try:
        return HaproxyRuntime(inputs["stats_socket"]).map_value(
            inputs["map_path"], inputs["map_key"]
        )
    except ProxyNotRunningError:
        return _file_value(inputs)


def _file_value(inputs: dict[str, Any]) -> str | None:
    return MapFile(Path(inputs["map_path"])).read(inputs["map_key"])


def _write(inputs: dict[str, Any]) -> dict[str, Any]:
    written = _route_to(inputs, _value(inputs))
    return inputs | {
        "guarantee": GUARANTEE,
        "write_ms": round(written.command_ms, 3),
        "durable_write_ms": round(written.durable_ms, 3),
        "written_at": written.at.isoformat(timespec="milliseconds"),
    }


@dataclass(frozen=True, slots=True)
class _Written:
    """One write: how long it took, and when it was done."""

    command_ms: float
    durable_ms: float
    at: datetime


def _route_to(inputs: dict[str, Any], value: str) -> _Written:
    """Writes file and memory, and watches that it stays so."""
    path, key = inputs["map_path"], inputs["map_key"]
    file = MapFile(Path(path))
    before = file.read(key)
    started = time.perf_counter()
    # The file first: whatever dies in between comes back with the color that passed its gates.
    file.write(key, value)
    runtime = HaproxyRuntime(inputs["stats_socket"])
    try:
        command_ms = runtime.set_map(path, key, value)
        # Before the watch, which is no part of the write: traffic has moved.
        durable_ms = (time.perf_counter() - started) * 1000
        written = _Written(command_ms, durable_ms, datetime.now(UTC))
        # A reload that read the file just before would bring the old color back a moment later.
        runtime.settle_map(path, key, value)
    except DataPlaneError:
        # Else the next reload would switch, although this update says that it did not.
        file.write(key, before or NOTHING_IS_LIVE)
        raise
    return written


class HaproxyRoute(LiveResource, module="onprem", name="HaproxyRoute"):
    """The one write: a map key, in the file that lasts and in the proxy's memory."""

    active_color: pulumi.Output[str]
    guarantee: pulumi.Output[str]
    write_ms: pulumi.Output[float]
    """Milliseconds of the runtime command."""

    durable_write_ms: pulumi.Output[float]
    """Milliseconds from the map file's write, with its fsync, to reading the memory back."""

    written_at: pulumi.Output[str]
    """When the memory had been read back; what is watched afterwards comes later."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(_Provider(), name, props | dict.fromkeys(_COMPUTED), opts)


@dataclass(frozen=True, kw_only=True)
class HaproxyRouterArgs:
    """Inputs of `HaproxyRouter`: an HAProxy, ours or one that was there before."""

    service: str
    """Name of the service: its key in the map."""

    route: Route
    """Who is to be active, and who is to get which share."""

    stats_socket: pulumi.Input[str]
    """Path of the runtime API's socket (level admin), or `host:port`."""

    map_path: pulumi.Input[str]
    """Path of the map exactly as the proxy's config names it; also the file that keeps it."""

    backends: dict[Color, str] | None = None
    """Backend of each color; by default `<service>-blue` and `<service>-green`."""

    hooks: pulumi.ResourceHookBinding | None = None
    """Gates, from `ServiceHooks.router()`; without them the write is not judged."""

    after: Sequence[pulumi.Resource] = ()
    """What must be ready before the write: the members of every color with a share."""


class HaproxyRouter(pulumi.ComponentResource):
    """Production and test traffic of one service behind HAProxy.

    Guarantee class: *single write*. Both frontends read one map key, so production and test move
    in the same instant; the durable file is written first. Keep-alive connections follow with
    their next request, because HAProxy routes requests, not connections.
    """

    active_color: pulumi.Output[str]
    """The active color, as written."""

    guarantee: pulumi.Output[str]
    """The guarantee class."""

    write_ms: pulumi.Output[float]
    """Milliseconds the last write's runtime command took."""

    def __init__(
        self, name: str, args: HaproxyRouterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("bluegreen:index:HaproxyRouter", name, {}, opts)
        self.route = HaproxyRoute(
            child_name(name, "route"),
            _route_inputs(args),
            pulumi.ResourceOptions(parent=self, hooks=args.hooks, depends_on=list(args.after)),
        )
        self.active_color = self.route.active_color
        self.guarantee = self.route.guarantee
        self.write_ms = self.route.write_ms
        self.register_outputs(
            {
                "active_color": self.active_color,
                "guarantee": self.guarantee,
                "write_ms": self.write_ms,
            }
        )


def _route_inputs(args: HaproxyRouterArgs) -> dict[str, Any]:
    backends = args.backends or RoutedTraffic.of_service(args.service).backends
    return {
        "stats_socket": args.stats_socket,
        "map_path": args.map_path,
        "map_key": args.service,
        **{f"{color}_backend": backends[color] for color in Color},
        **_shares(args.route),
    }


def route_of(properties: Any) -> Route | None:  # noqa: ANN401  # a Pulumi property mapping
    """Reads a route's properties; None when they do not say who is active."""
    active = properties.get("active_color")
    if active not in set(Color):
        return None
    shares = {str(color): int(properties[f"{color}_percent"]) for color in Color}
    return Route(Color(active), TrafficSplit(**shares))
