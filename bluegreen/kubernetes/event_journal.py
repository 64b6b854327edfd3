"""The audit trail as Kubernetes Events of the router's object."""

from typing import Any

from bluegreen.errors import DataPlaneError
from bluegreen.events import Event, EventKind, EventResult
from bluegreen.kubernetes.cluster import Cluster
from bluegreen.kubernetes.live_router import LiveRouter
from bluegreen.kubernetes.names import SERVICE_LABEL, ObjectNames

__all__ = ["EVENT", "EventJournal"]

EVENT = "bluegreen.dev/event"
"""Annotation: the whole entry as JSON."""

_LONGEST_MESSAGE = 1024
_REASONS = {
    EventKind.SWITCH: "Switched",
    EventKind.NOT_FOLLOWED: "NotFollowed",
    EventKind.REFUSAL: "Refused",
    EventKind.LIVE_CHANGE: "LiveChangeAllowed",
    EventKind.EARLY_RETIREMENT: "RetiredEarly",
}


class EventJournal:
    """Writes each event as an object of its own; the cluster keeps it an hour by default."""

    def __init__(self, cluster: Cluster, names: ObjectNames, router: LiveRouter) -> None:
        self._cluster = cluster
        self._names = names
        self._router = router

    def record(self, event: Event) -> None:
        """Makes the object.

        Raises:
            DataPlaneError: The API server did not take it.
        """
        try:
            self._cluster.create(self._names.core("events"), self._object(event))
        except DataPlaneError as error:
            msg = f"the event could not be kept: {error}"
            raise DataPlaneError(msg) from error

    def recent(self) -> tuple[Event, ...]:
        """Nothing: an Event is gone after an hour, too soon to be relied on."""
        return ()

    def _object(self, event: Event) -> dict[str, Any]:
        names = self._names
        at = event.at.split(".")[0].removesuffix("+00:00") + "Z"
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "generateName": f"{names.service}.",
                "namespace": names.namespace,
                "labels": {SERVICE_LABEL: names.service},
                "annotations": {EVENT: event.to_json()},
            },
            "involvedObject": self._about(),
            "type": "Normal" if event.result is EventResult.DONE else "Warning",
            "reason": _REASONS[event.kind],
            "message": _message(event)[:_LONGEST_MESSAGE],
            "source": {"component": "bluegreen"},
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
        }

    def _about(self) -> dict[str, Any]:
        found = self._router.object() or {}
        return {
            "apiVersion": found.get("apiVersion", "v1"),
            "kind": self._router.kind,
            "name": self._names.production,
            "namespace": self._names.namespace,
            **({"uid": found["metadata"]["uid"]} if found else {}),
        }


def _message(event: Event) -> str:
    reason = f": {event.reason}" if event.reason else ""
    return f"{event.from_split} → {event.to_split}, by {event.by}{reason}"
