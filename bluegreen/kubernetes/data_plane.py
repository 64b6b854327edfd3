"""The live side of a service on Kubernetes, asked through the API server."""

import time
from datetime import datetime
from typing import Any

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.gates.data_plane import HttpProduction, Production
from bluegreen.gates.gate import Endpoint, Readiness
from bluegreen.kubernetes.active_flag import flagged_color, last_switch
from bluegreen.kubernetes.api_proxy import ApiProxy
from bluegreen.kubernetes.cluster import Cluster
from bluegreen.kubernetes.connections import sum_of_metric
from bluegreen.kubernetes.endpoint_slices import slices_of
from bluegreen.kubernetes.follow_job import JobProduction
from bluegreen.kubernetes.live_router import LiveRouter
from bluegreen.kubernetes.members import readiness_of, release_of
from bluegreen.kubernetes.names import ObjectNames
from bluegreen.settings.kubernetes import ConnectionsSettings, RouterMechanism
from bluegreen.settings.service import ServiceSettings
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["KubernetesDataPlane"]


class KubernetesDataPlane:
    """Answers the gates' questions; implements `bluegreen.gates.data_plane.DataPlane`."""

    def __init__(
        self, cluster: Cluster, names: ObjectNames, settings: ServiceSettings, router: LiveRouter
    ) -> None:
        self._cluster = cluster
        self._names = names
        self._settings = settings
        self._router = router
        self._proxy = ApiProxy(cluster)
        self._following_since: tuple[TrafficSplit, float] | None = None

    def live_route(self) -> Route | None:
        """Who is active and who gets which share of production now."""
        return self._router.route()

    def readiness(self, color: Color) -> Readiness:
        """How many members of a color get traffic and hold what its Deployment says."""
        return readiness_of(self._deployment(color), self._pods(color), self._slices(color))

    def release(self, color: Color) -> str | None:
        """The release that a color's members run now."""
        return release_of(self._deployment(color))

    def sessions(self, color: Color) -> int | None:
        """What the members say that they work on; None where they cannot be asked.

        Nobody else counts connections behind kube-proxy.
        """
        counted = self._settings.kubernetes.connections
        if counted is None:
            return None
        pods = [
            pod
            for pod in self._pods(color)
            if pod.get("status", {}).get("phase") == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        ]
        return sum(self._connections(pod["metadata"]["name"], counted) for pod in pods)

    def pinned_endpoint(self, color: Color) -> Endpoint:
        """The color's own Service: at its own address, else through the API server's proxy."""
        url = self._settings.kubernetes.color_url
        if url is not None:
            return Endpoint(url.replace("{color}", color))
        service = f"http:{self._names.of_color(color)}:{self._settings.port}"
        return self._proxy.endpoint(f"{self._names.core('services', service)}/proxy")

    def production(self) -> Production | None:
        """The address that was given, else a Job in the cluster, else nobody."""
        kubernetes = self._settings.kubernetes
        if kubernetes.production_url is not None:
            return HttpProduction(Endpoint(kubernetes.production_url))
        if kubernetes.follow_job is not None:
            return JobProduction(self._cluster, self._names, self._settings, kubernetes.follow_job)
        return None

    def control_view(self, wanted: TrafficSplit) -> tuple[bool, str]:
        """What the API says, once it has said so for as long as kube-proxy may take."""
        follows, says = self._router.follows(wanted)
        if not follows:
            self._following_since = None
            return False, says
        if self._following_since is None or self._following_since[0] != wanted:
            self._following_since = (wanted, time.monotonic())
        age = time.monotonic() - self._following_since[1]
        needed = self._settings.kubernetes.propagation_seconds
        return age >= needed, f"{says}, for {min(age, needed):.1f} of {needed:g} s"

    def last_switch(self) -> datetime | None:
        """When the active flag last changed its color."""
        return last_switch(self._cluster, self._names, self._router.object())

    def flagged(self) -> Color | None:
        """The color that the active flag names."""
        return flagged_color(self._cluster, self._names)

    def left_behind(self, color: Color) -> str | None:
        """Connections that clients keep open: kube-proxy leaves them where they are."""
        if self._settings.kubernetes.router is not RouterMechanism.SERVICE:
            return None
        try:
            count = self.sessions(color)
        except DataPlaneError as error:
            return f"connections that clients keep open stay on {color}; not counted: {error}"
        if count is None:
            return (
                f"connections that clients keep open stay on {color} until its members end; how "
                "many is not known, because service.kubernetes.connections does not say where they "
                "are counted"
            )
        return f"{count} connections that clients keep open stay on {color} until its members end"

    def _deployment(self, color: Color) -> dict[str, Any] | None:
        path = self._names.group("apps/v1", "deployments", self._names.of_color(color))
        return self._cluster.get(path)

    def _pods(self, color: Color) -> list[dict[str, Any]]:
        labels = self._names.color_labels(color)
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return self._cluster.items(self._names.core("pods"), labelSelector=selector)

    def _connections(self, pod: str, counted: ConnectionsSettings) -> int:
        port = self._settings.kubernetes.container_port
        path = f"{self._names.core('pods', f'http:{pod}:{port}')}/proxy{counted.path}"
        answer = self._cluster.request("GET", path)
        text = answer.body.decode(errors="replace")
        if answer.status != 200:  # noqa: PLR2004
            msg = f"pod {pod} answers {answer.status} to GET {counted.path}"
            raise DataPlaneError(msg)
        return sum_of_metric(text, counted.metric, pod)

    def _slices(self, color: Color) -> list[dict[str, Any]]:
        return slices_of(self._cluster, self._names, self._names.of_color(color))
