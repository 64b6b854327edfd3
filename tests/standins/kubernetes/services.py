"""When the official provider counts a Service as ready: slow, and blind to what it should see.

It waits ten seconds after the last change of the endpoints, and is content with none at all.
"""

import time
from typing import Any

from api import Api, ApiError
from kinds import Kind
from metadata import name_of, namespace_of
from patience import NotReadyError, Patience

__all__ = ["await_settled", "read_settled"]

SETTLING_SECONDS = 10.0

NO_PODS = (
    "Service does not target any Pods. Selected Pods may not be ready, or "
    "field '.spec.selector' may not match labels on any Pods"
)
NO_ADDRESS = "Service was not allocated an IP address; does your cloud provider support this?"

Object = dict[str, Any]


class Endpoints:
    """The endpoints as last seen, and since when nothing has changed about them."""

    def __init__(self) -> None:
        self._seen: str | None = None
        self._changes: list[float] = []
        self.has_ready = False
        self.has_pending = False

    def look(self, endpoints: Object | None) -> None:
        """Takes note of what is there now."""
        version = endpoints["metadata"]["resourceVersion"] if endpoints else None
        if version == self._seen:
            return
        self._seen = version
        self._changes.append(time.monotonic())
        subsets = (endpoints or {}).get("subsets") or []
        self.has_ready = any(subset.get("addresses") for subset in subsets)
        self.has_pending = any(subset.get("notReadyAddresses") for subset in subsets)

    @property
    def is_settled(self) -> bool:
        # Every change starts a clock, and the clock of an earlier one is not stopped by a later.
        now = time.monotonic()
        rung = [changed + SETTLING_SECONDS for changed in self._changes]
        return any(self._changes[-1] < bell <= now for bell in rung)


def await_settled(api: Api, kind: Kind, service: Object, patience: Patience) -> Object:
    """The Service once its endpoints have been left alone for ten seconds.

    Raises:
        NotReadyError: it was not in time.
    """
    endpoints = Endpoints()
    while True:
        live = api.get(kind, namespace_of(service), name_of(service))
        endpoints.look(_endpoints_of(api, live))
        is_quiet = _has_address(live) and not endpoints.has_pending
        if not _waits_for_pods(live):
            is_quiet = _has_address(live)
        if is_quiet and (not _waits_for_pods(live) or endpoints.is_settled or patience.is_over):
            return live
        if patience.is_over:
            raise patience.failure(live, _reasons(live, endpoints))
        patience.pause()


def read_settled(api: Api, kind: Kind, service: Object) -> Object:
    """The Service, if it is ready right now.

    Raises:
        NotReadyError: it is not.
    """
    endpoints = Endpoints()
    live = api.get(kind, namespace_of(service), name_of(service))
    endpoints.look(_endpoints_of(api, live))
    if _has_address(live) and not (_waits_for_pods(live) and endpoints.has_pending):
        return live
    text = f"Resource '{name_of(live)}' was created but failed to initialize"
    raise NotReadyError(text, live, _reasons(live, endpoints))


def _endpoints_of(api: Api, service: Object) -> Object | None:
    try:
        return api.get(ENDPOINTS, namespace_of(service), name_of(service))
    except ApiError as error:
        if error.is_missing:
            return None
        raise


ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints")


def _waits_for_pods(service: Object) -> bool:
    spec = service.get("spec") or {}
    is_headless = spec.get("clusterIP") == "None"
    return bool(spec.get("selector")) and not is_headless and spec.get("type") != "ExternalName"


def _has_address(service: Object) -> bool:
    if (service.get("spec") or {}).get("type") != "LoadBalancer":
        return True
    return bool(((service.get("status") or {}).get("loadBalancer") or {}).get("ingress"))


def _reasons(service: Object, endpoints: Endpoints) -> list[str]:
    reasons = [] if endpoints.has_ready or not _waits_for_pods(service) else [NO_PODS]
    return reasons if _has_address(service) else [*reasons, NO_ADDRESS]
