"""The live side of a service behind HAProxy, asked through its runtime API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError, UnreadableTrafficError
from bluegreen.gates.data_plane import HttpProduction
from bluegreen.gates.gate import Endpoint, Readiness
from bluegreen.onprem.active_flag import flagged_color, last_switch
from bluegreen.onprem.haproxy_config import DEFAULT_PIN_HEADER
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime, ProxyNotRunningError
from bluegreen.onprem.members import Member
from bluegreen.onprem.traffic_map import MapFile, RoutedTraffic
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["HaproxyDataPlane"]


@dataclass(frozen=True)
class HaproxyDataPlane:
    """Answers the gates' questions; implements `bluegreen.gates.data_plane.DataPlane`."""

    stats_socket: str
    """Path of the runtime API's socket, or `host:port`."""

    map_path: Path
    map_key: str
    traffic: RoutedTraffic
    production_url: str
    test_url: str
    flag_path: Path
    members: Callable[[Color], Sequence[Member]]
    """The members a color is meant to have now, as its process manager knows."""

    pin_header: str = DEFAULT_PIN_HEADER
    master_socket: str | None = None
    """Path of the master's socket; without it requests that a reload left with an earlier worker
    are not counted."""

    def live_route(self) -> Route | None:
        """Who is active and who gets which share of production now; None before the first write."""
        try:
            value = self._runtime.map_value(str(self.map_path), self.map_key)
        except ProxyNotRunningError:
            if MapFile(self.map_path).read(self.map_key) is None:
                return None
            raise
        if value is None:
            return None
        try:
            return self.traffic.decode(value)
        except DataPlaneError as error:
            raise UnreadableTrafficError(str(error)) from error

    def readiness(self, color: Color) -> Readiness:
        """How many members of a color the proxy has found ready."""
        state = self._runtime.backend(self.traffic.backends[color])
        return Readiness(ready=state.servers_up, desired=len(self.members(color)))

    def release(self, color: Color) -> str | None:
        """The release that a color's members run now."""
        return next((member.release for member in self.members(color)), None)

    def sessions(self, color: Color) -> int | None:
        """Requests a color is working on now."""
        try:
            return self._runtime.backend(self.traffic.backends[color]).sessions
        except ProxyNotRunningError:
            return 0

    def pinned_endpoint(self, color: Color) -> Endpoint:
        """The test frontend, with the header that names the color."""
        return Endpoint(self.test_url, {self.pin_header: str(color)})

    def production(self) -> HttpProduction:
        """The production frontend."""
        return HttpProduction(Endpoint(self.production_url))

    def control_view(self, wanted: TrafficSplit) -> tuple[bool, str]:
        """The proxy routes by what it says: there is nothing behind it that could lag."""
        return True, f"the router says {wanted}"

    def last_switch(self) -> datetime | None:
        """When the active flag last changed its color."""
        return last_switch(self.flag_path)

    def flagged(self) -> Color | None:
        """The color that the active flag names."""
        return flagged_color(self.flag_path)

    def left_behind(self, color: Color) -> None:
        """Nothing: the proxy routes requests, so kept connections follow with their next one."""

    @property
    def _runtime(self) -> HaproxyRuntime:
        return HaproxyRuntime(self.stats_socket, master_address=self.master_socket)
