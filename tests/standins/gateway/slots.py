"""Which server slot of a backend has which endpoint: changes need no reload of the proxy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.standins.gateway.routing import Endpoints

__all__ = ["Slot", "assign", "free_slots"]


@dataclass(frozen=True)
class Slot:
    """One server of a backend."""

    number: int
    place: str | None = None
    """`address:port`; None while nobody has the slot."""

    state: str = "maint"
    """HAProxy's word: `ready`, `drain` (finishes what it has) or `maint` (is not there)."""

    used: int = 0
    """When it was given away last, as a number that grows: a slot that was just freed may still
    hold requests, so the one that is free for longest is taken first."""

    @property
    def name(self) -> str:
        """The server's name in the proxy."""
        return f"slot-{self.number}"


def free_slots(count: int) -> tuple[Slot, ...]:
    """So many slots that nobody has."""
    return tuple(Slot(number) for number in range(1, count + 1))


def assign(slots: Sequence[Slot], endpoints: Endpoints) -> tuple[Slot, ...] | None:
    """Gives every endpoint a slot; who has one keeps it.

    Returns:
        The slots as they must be; None when there are too few.
    """
    states = dict.fromkeys(endpoints.draining, "drain")
    states |= dict.fromkeys(endpoints.ready, "ready")
    kept = [_updated(slot, states) for slot in slots]
    waiting = sorted(states.keys() - {slot.place for slot in kept})
    return _filled(kept, waiting, states)


def _updated(slot: Slot, states: Mapping[str, str]) -> Slot:
    if slot.place is not None and slot.place in states:
        return replace(slot, state=states[slot.place])
    return replace(slot, place=None, state="maint")


def _filled(
    slots: Sequence[Slot], waiting: Iterable[str], states: Mapping[str, str]
) -> tuple[Slot, ...] | None:
    found = {slot.number: slot for slot in slots}
    clock = max((slot.used for slot in slots), default=0)
    free = sorted((slot for slot in slots if slot.place is None), key=lambda slot: slot.used)
    for place in waiting:
        if not free:
            return None
        slot, clock = free.pop(0), clock + 1
        found[slot.number] = replace(slot, place=place, state=states[place], used=clock)
    return tuple(found.values())
