"""What protects the anchors: a change of the proxy's config must not cut off who has traffic."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError, RolloutError, UnreadableTrafficError
from bluegreen.gate_hooks import HookCall, Update
from bluegreen.gates.answers import UnusableAnswerError, ask
from bluegreen.gates.gate import Endpoint
from bluegreen.onprem.haproxy_data_plane import HaproxyDataPlane
from bluegreen.onprem.members import Member
from bluegreen.onprem.provider import plain
from bluegreen.traffic import Route, UnreadableTraffic

__all__ = ["ProxyGuard"]

_HEALTHY = 200
"""What the proxy's own check expects."""


class ProxyGuard:
    """Asked before the embedded proxy takes over another config, in previews as well.

    The proxy is updated before the fleets, so the members that have traffic now must be found and
    found healthy by the new config.
    """

    def __init__(self, update: Update, data_plane: HaproxyDataPlane) -> None:
        self._update = update
        self._data_plane = data_plane

    def __call__(self, call: HookCall) -> None:
        """Raises when members with traffic would be lost."""
        before, after = plain(call.old or {}), plain(call.new)
        live = self._live()
        for color in _with_traffic(live):
            members = self._data_plane.members(color)
            problems = [
                *_moved(color, members, before, after),
                *_unhealthy(color, members, before, after),
            ]
            if problems:
                error = RolloutError(f"{self._update.name}: {problems[0]}")
                self._update.refuse(call, error, before=self._update.described_live(live))

    def _live(self) -> Route | UnreadableTraffic | None:
        try:
            return self._data_plane.live_route()
        except UnreadableTrafficError as error:
            return UnreadableTraffic(str(error))
        except DataPlaneError:
            # A proxy that does not answer carries no traffic that could be lost.
            return None


def _with_traffic(live: Route | UnreadableTraffic | None) -> list[Color]:
    """The colors that have a share, or may have one."""
    if isinstance(live, Route):
        return sorted(live.split.colors)
    return [] if live is None else sorted(Color)


def _moved(
    color: Color, members: Sequence[Member], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[str]:
    key = f"{color}_ports"
    old, new = before.get(key, []), after[key]
    for member in members:
        if old != new and member.port not in new:
            yield (
                f"{color} has production traffic on port {member.port}, which would not be one of "
                "its slots any more; nothing was changed; switch to the other color before its "
                "member_ports or slots are changed so"
            )


def _unhealthy(
    color: Color, members: Sequence[Member], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[str]:
    health = after["health_check"]
    if health == before.get("health_check"):
        return
    for member in members:
        endpoint = Endpoint(f"http://127.0.0.1:{member.port}")
        try:
            answer = ask(endpoint, "GET", health["path"], health["timeout_seconds"])
        except UnusableAnswerError as error:
            said = str(error)
        else:
            if answer.status == _HEALTHY:
                continue
            said = f"{answer.status}"
        yield (
            f"{color} has production traffic, and its member on port {member.port} does not pass "
            f"the new health check {health['path']}: {said}; nothing was changed; "
            "`pulumi config set --path service.health_check.path PATH`"
        )
