"""One HAProxy that does what a `Routing` says, without a reload wherever that can be."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.ports import free_port
from tests.standins.aws_cloud.configuration import ALWAYS, NOTHING, Structure, map_of, render
from tests.standins.aws_cloud.routing import Routing
from tests.standins.gateway.routing import Endpoints
from tests.standins.gateway.slots import Slot, assign, free_slots
from tests.standins.haproxy_process import HaproxyProcess
from tools.cluster.network import is_taken

__all__ = ["Proxy"]

_OWN_PORTS = range(20_000, 32_000)
"""Of these a listener has the one that it asks for where it is free, as at a real load balancer."""

_FEWEST_SLOTS = 4
"""Of a target group; there may be hundreds of them."""


class Proxy:
    """One thread may use it; `port_of` and `port_for` any.

    Weights and targets need no reload, other rules, listeners and target groups do.
    """

    def __init__(self, binary: str, folder: Path) -> None:
        self._folder = folder
        self._haproxy = HaproxyProcess(binary, folder, ALWAYS)
        self._structure = Structure()
        self._slots: dict[str, tuple[Slot, ...]] = {}
        self._map: dict[str, str] = {}
        self._ports: dict[str, int] = {}
        self._reserved: dict[tuple[str, int], int] = {}
        self._reserving = threading.Lock()
        self.reloads = 0
        """How often it was reloaded so far."""

    def start(self) -> None:
        """Starts it without any listener."""
        self._write()
        self._haproxy.start()

    def stop(self) -> None:
        """Ends it."""
        self._haproxy.stop()

    def port_of(self, listener_arn: str) -> int:
        """Where a listener that it follows is on 127.0.0.1; raises `KeyError` for others."""
        return self._ports[listener_arn]

    def port_for(self, balancer: str, port: int) -> int:
        """Where any listener of a load balancer is that has this port, also one that will have it.

        As a load balancer's address does, it stays when a listener is made anew.
        """
        with self._reserving:
            if (balancer, port) not in self._reserved:
                is_own = port in _OWN_PORTS and not is_taken(port)
                self._reserved[balancer, port] = port if is_own else free_port()
            return self._reserved[balancer, port]

    def follow(self, routing: Routing) -> bool:
        """Makes the proxy do what is asked for; returns whether that took a reload."""
        before, self._slots = self._slots, self._assign(routing)
        structure = Structure.of(routing, self._slots)
        entries = map_of(routing)
        changed = dict.fromkeys(self._map.keys() - entries.keys(), NOTHING)
        changed |= {key: value for key, value in entries.items() if self._map.get(key) != value}
        self._map = entries
        if structure != self._structure:
            self._structure = structure
            self._reload()
            return True
        if changed or self._slots != before:
            # First: a worker that somebody else's reload begins must know it too.
            self._write()
        # Who is new can take requests before any are sent there; who leaves does so last.
        self._change_servers(before, lambda slot: slot.state == "ready")
        for key, value in changed.items():
            self._haproxy.set_map(key, value)
        self._change_servers(before, lambda slot: slot.state != "ready")
        return False

    def _assign(self, routing: Routing) -> dict[str, tuple[Slot, ...]]:
        """A backend that was there stays as long as there are listeners: it does no harm."""
        known = self._slots if routing.listeners else {}
        wanted = dict.fromkeys(known, Endpoints()) | dict(routing.endpoints)
        return {name: _assigned(known.get(name, ()), each) for name, each in wanted.items()}

    def _change_servers(
        self, before: Mapping[str, Sequence[Slot]], is_meant: Callable[[Slot], bool]
    ) -> None:
        for name, slots in self._slots.items():
            for old, new in zip(before[name], slots, strict=True):
                if old != new and is_meant(new):
                    self._change_server(name, old, new)

    def _change_server(self, backend: str, old: Slot, new: Slot) -> None:
        server = f"{backend}/{new.name}"
        if new.place and new.place != old.place:
            address, _, port = new.place.rpartition(":")
            self._haproxy.tell(f"set server {server} addr {address} port {port}", "chang")
        self._haproxy.tell(f"set server {server} state {new.state}", "")
        if old.state == "drain" and new.state == "maint":
            # Its time to finish is over; whatever it still does is cut off.
            self._haproxy.tell(f"shutdown sessions server {server}", "")

    def _reload(self) -> None:
        for listener in self._structure.listeners:
            self._ports[listener.arn] = self.port_for(listener.balancer, listener.port)
        self._write()
        self._haproxy.reload()
        self.reloads += 1

    def _write(self) -> None:
        lines = [f"{key} {value}\n" for key, value in sorted(self._map.items())]
        self._haproxy.map.write_text("".join(lines), encoding="utf-8")
        text = render(
            self._structure,
            self._slots,
            ports=self._ports,
            folder=self._folder,
            map_path=self._haproxy.map,
        )
        self._haproxy.config.write_text(text, encoding="utf-8")


def _assigned(slots: Sequence[Slot], endpoints: Endpoints) -> tuple[Slot, ...]:
    """Gives every endpoint a slot; twice as many if there are too few."""
    count = max(len(slots), _FEWEST_SLOTS)
    while True:
        more = (each for each in free_slots(count) if each.number > len(slots))
        found = assign((*slots, *more), endpoints)
        if found is not None:
            return found
        count *= 2
