"""One HAProxy that does what a `Routing` says, without a reload wherever that can be."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.standins.gateway.configuration import Structure, render, shares_of
from tests.standins.gateway.routing import Endpoints, Routing
from tests.standins.gateway.slots import Slot, assign, free_slots
from tests.standins.haproxy_process import HaproxyProcess

__all__ = ["Proxy"]

FEWEST_SLOTS = 16


class Proxy:
    """A HAProxy of its own in a folder of its own; one thread may use it."""

    def __init__(self, binary: str, port: int, folder: Path) -> None:
        self._port = port
        self._haproxy = HaproxyProcess(binary, folder, "gateway")
        self._structure = Structure.of(Routing(), (), FEWEST_SLOTS)
        self._slots: dict[str, tuple[Slot, ...]] = {}
        self._shares: dict[str, str] = {}

    def start(self) -> None:
        """Starts it without any route; returns when it answers.

        Raises:
            DataPlaneError: it does not, for example because somebody has the port.
        """
        self._write()
        self._haproxy.start()

    @property
    def is_running(self) -> bool:
        """False once it has ended by itself, or was ended by somebody else."""
        return self._haproxy.is_running

    def stop(self) -> None:
        """Ends it, and its workers with it."""
        self._haproxy.stop()

    def follow(self, routing: Routing) -> bool:
        """Makes the proxy do what is asked for; returns whether that took a reload."""
        slots = self._assign(routing)
        known = max((len(each) for each in slots.values()), default=FEWEST_SLOTS)
        structure = Structure.of(routing, self._structure.backends, known)
        shares = {rule.key: shares_of(rule) for rule in routing.rules}
        before, self._slots = self._slots, slots
        if structure != self._structure:
            self._structure, self._shares = structure, shares
            self._write()
            self._haproxy.reload()
            return True
        changed = {key: value for key, value in shares.items() if self._shares.get(key) != value}
        self._shares = shares
        if changed or slots != before:
            # First: a worker that somebody else's reload begins must know it too.
            self._write()
        # Who is new can take requests before any are sent there; who leaves does so last.
        self._change_servers(before, lambda slot: slot.state == "ready")
        for key, value in changed.items():
            self._haproxy.set_map(key, value)
        self._change_servers(before, lambda slot: slot.state != "ready")
        return False

    def _assign(self, routing: Routing) -> dict[str, tuple[Slot, ...]]:
        wanted: dict[str, Endpoints] = dict.fromkeys(self._slots, Endpoints())
        wanted |= {backend.name: each for backend, each in routing.endpoints.items()}
        count = self._structure.slots
        while True:
            found = {
                name: assign(_at_least(self._slots.get(name, ()), count), endpoints)
                for name, endpoints in wanted.items()
            }
            complete = {name: slots for name, slots in found.items() if slots is not None}
            if len(complete) == len(found):
                return complete
            count *= 2

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
            self._haproxy.tell(
                f"set server {server} addr {address.strip('[]')} port {port}", "chang"
            )
        self._haproxy.tell(f"set server {server} state {new.state}", "")

    def _write(self) -> None:
        lines = [f"{key} {value}\n" for key, value in sorted(self._shares.items())]
        self._haproxy.map.write_text("".join(lines), encoding="utf-8")
        text = render(
            self._structure,
            {name: self._slots.get(name, ()) for name in self._structure.backends},
            port=self._port,
            socket_path=self._haproxy.worker_socket,
            map_path=self._haproxy.map,
        )
        self._haproxy.config.write_text(text, encoding="utf-8")


def _at_least(slots: Sequence[Slot], count: int) -> tuple[Slot, ...]:
    return (*slots, *(each for each in free_slots(count) if each.number > len(slots)))
