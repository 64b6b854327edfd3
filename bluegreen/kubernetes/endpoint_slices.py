"""Who a Service sends requests to, as the API server knows it."""

from typing import Any

from bluegreen.kubernetes.cluster import Cluster
from bluegreen.kubernetes.names import ObjectNames

__all__ = ["slices_of"]


def slices_of(cluster: Cluster, names: ObjectNames, service: str) -> list[dict[str, Any]]:
    """The EndpointSlices of one Service; raises `DataPlaneError` when they cannot be had."""
    path = names.group("discovery.k8s.io/v1", "endpointslices")
    return cluster.items(path, labelSelector=f"kubernetes.io/service-name={service}")
