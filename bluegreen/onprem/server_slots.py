"""The slots of one color in the proxy: no member is ended while requests are sent to it."""

import contextlib
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime, ProxyNotRunningError

__all__ = ["ServerSlots"]

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class ServerSlots:
    """Takes members out of the balancing, and back in; a proxy that is not there has none in it."""

    runtime: HaproxyRuntime
    backend: str
    color: Color
    drain_seconds: float
    """How long requests under way are waited for."""

    is_live: bool = False
    """Whether the color has production traffic: nobody is ended then before others are seen up."""

    def are_left_out(self) -> bool:
        """Whether a slot gets no requests although nobody is changing its member: see `put_back`.

        A proxy that does not say it is repaired first, by a resource of its own.
        """
        try:
            return bool(self.runtime.drained_servers(self.backend))
        except DataPlaneError:
            return False

    def put_back(self) -> None:
        """Gives every slot its share again: an update that was killed has left some without."""
        with contextlib.suppress(ProxyNotRunningError):
            for server in self.runtime.drained_servers(self.backend):
                self.runtime.set_server(self.backend, server, "state ready")

    @contextlib.contextmanager
    def without(self, leaving: Collection[int], staying: Collection[int]) -> Iterator[None]:
        """Keeps new requests away from members, and waits for those they have.

        Where nobody else could take their requests, they get them to their end.

        Args:
            leaving: Members, by their index, that are ended or replaced inside.
            staying: Members that are to take the requests meanwhile.
        """
        drained: list[str] = []
        try:
            with contextlib.suppress(ProxyNotRunningError):
                self._drain(self._names(leaving), self._names(staying), drained)
            yield
        finally:
            # Down until its next check has passed, so that nobody is sent to one that has ended.
            with contextlib.suppress(ProxyNotRunningError):
                for server in drained:
                    self.runtime.set_server(self.backend, server, "health down", "state ready")

    def _names(self, indexes: Collection[int]) -> set[str]:
        return {f"{self.color}-{index + 1}" for index in indexes}

    def _drain(self, leaving: set[str], staying: set[str], drained: list[str]) -> None:
        if not leaving & self._up() or not self._wait_for(staying):
            return
        for server in sorted(leaving & self._up()):
            drained.append(server)
            self.runtime.set_server(self.backend, server, "state drain")
        end = time.monotonic() + self.drain_seconds
        while time.monotonic() < end:
            # Not at once: a request that was just given to a member may not be counted yet.
            time.sleep(_POLL_SECONDS)
            sessions = self.runtime.servers(self.backend)
            if not any(sessions[server].sessions for server in drained):
                return

    def _wait_for(self, staying: set[str]) -> bool:
        """Waits until the proxy has seen all that stay; False when it has seen none in time."""
        end = time.monotonic() + (self.drain_seconds if self.is_live else 0)
        while not staying <= self._up() and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
        return bool(staying & self._up())

    def _up(self) -> set[str]:
        servers = self.runtime.servers(self.backend)
        return {name for name, server in servers.items() if server.is_up}
