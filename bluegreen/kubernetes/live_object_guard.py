"""Refuses to judge one cluster and write to another, and to fight with another controller."""

from collections.abc import Iterator, Mapping
from typing import Any

from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.gate_hooks import HookCall
from bluegreen.kubernetes.live_router import LiveRouter

__all__ = ["LiveObjectGuard", "owners_of"]

_PEOPLE = ("kubectl", "pulumi", "before-first-apply")
"""Field managers that begin so are somebody's hands, ourselves, or what the API server calls those
it has no record of; all others are controllers."""


class LiveObjectGuard:
    """Asked before the router's object is updated."""

    def __init__(self, service: str, router: LiveRouter) -> None:
        self._service = service
        self._router = router

    def __call__(self, call: HookCall) -> None:
        """Raises when the object is not the recorded one, or is somebody else's."""
        try:
            live = self._router.object()
        except DataPlaneError:
            # The gate asks the same and says it.
            return
        if live is None:
            return
        self._is_the_recorded_one(call, live)
        self._is_nobody_elses(live)

    def _is_the_recorded_one(self, call: HookCall, live: Mapping[str, Any]) -> None:
        recorded = ((call.old or {}).get("metadata") or {}).get("uid")
        found = live["metadata"]["uid"]
        if recorded and recorded != found:
            msg = (
                f"{self._service}: the gates found another {self._router.kind} than the one in "
                f"the state (uid {found}, recorded {recorded}): either it was made anew by hand, "
                "and `pulumi refresh` takes it over, or the provider writes to another cluster "
                "than the gates ask, and `kubernetes:kubeconfig` or `kubernetes:context` should "
                "say which; production traffic has not been moved"
            )
            raise RolloutError(msg)

    def _is_nobody_elses(self, live: Mapping[str, Any]) -> None:
        fields = self._router.routing_fields
        others = [owner for owner in owners_of(live, fields) if not owner.startswith(_PEOPLE)]
        if others:
            msg = (
                f"{self._service}: {', '.join(others)} also writes {'.'.join(fields)} of "
                f"{self._router.kind} {live['metadata']['name']}, and would move the traffic "
                "again; production traffic has not been moved; take the object out of that "
                "controller, and its entry out of metadata.managedFields"
            )
            raise RolloutError(msg)


def owners_of(live: Mapping[str, Any], fields: tuple[str, ...]) -> list[str]:
    """The field managers that have written a field, or something inside of it."""
    return sorted(set(_owners(live, fields)))


def _owners(live: Mapping[str, Any], fields: tuple[str, ...]) -> Iterator[str]:
    for entry in live["metadata"].get("managedFields") or []:
        if _has(entry.get("fieldsV1") or {}, fields):
            yield entry.get("manager", "unknown")


def _has(owned: Mapping[str, Any], fields: tuple[str, ...]) -> bool:
    place: Any = owned
    for name in fields:
        place = place.get(f"f:{name}")
        if not place:
            # Nothing below it: all of it. A Service's selector is only ever owned as a whole.
            return place is not None
    return True
