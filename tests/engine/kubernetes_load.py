"""A load on a Service of the node's cluster, by what kube-proxy does with its connections."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from kubernetes.client import CoreV1Api
from kubernetes.watch import Watch
from urllib3.exceptions import ProtocolError

from bluegreen.kubernetes.cluster import Cluster
from bluegreen.kubernetes.names import ObjectNames
from bluegreen.load import BackgroundLoad, LoadPlan, Recording, Switch, count_stale
from tools.cluster.cluster import Cluster as TestCluster
from tools.cluster.control_plane import SERVICE_RANGE

RATE = 250
"""Requests a second of each kind: fresh connections, and kept ones."""

KEPT_CONNECTIONS = 16
LONGEST_SECONDS = 400


class Place(Protocol):
    """A service in a namespace; the scenarios' driver is one."""

    api: Cluster
    names: ObjectNames
    cluster: TestCluster


@dataclass
class ClusterTraffic:
    """What happened to the requests; known once the load has ended."""

    fresh: Recording | None = None
    """Each on a connection of its own: kube-proxy decides anew for every one."""

    kept: Recording | None = None
    """On connections that the client keeps open."""

    @property
    def failed(self) -> int:
        return sum(recording.failed() for recording in self._both)

    @property
    def requests(self) -> int:
        return sum(len(recording) for recording in self._both)

    def stale(self, switches: list[Switch]) -> int:
        """Fresh requests that the old color answered after `pulumi up` had returned."""
        assert self.fresh is not None
        return count_stale(self.fresh, switches)

    def followed_seconds(self, switch: Switch, written: float, until: float) -> float:
        """From the write until the last fresh request that the old color still answered.

        Args:
            switch: The switch.
            written: When its write was seen.
            until: When the next one was: from there on the old color is to answer again.
        """
        assert self.fresh is not None
        late = [
            each.sent - written
            for each in self.fresh
            if each.sent is not None
            and written <= each.sent < until
            and each.color == switch.from_color
        ]
        return max(late, default=0.0)

    @property
    def _both(self) -> tuple[Recording, Recording]:
        assert self.fresh is not None
        assert self.kept is not None
        return self.fresh, self.kept

    def __str__(self) -> str:
        parts = []
        for name, recording in zip(("fresh", "kept"), self._both, strict=True):
            failures = {str(kind): count for kind, count in recording.failures().items()}
            parts.append(f"{name}: {len(recording)} requests, failed {failures or 0}")
        return "; ".join(parts)


@contextlib.contextmanager
def traffic_on(
    place: Place, path: str = "/slow?ms=5", seconds: float = LONGEST_SECONDS
) -> Iterator[ClusterTraffic]:
    """500 requests a second straight to the ClusterIP, half of them on fresh connections."""
    service = place.api.get(place.names.core("services", place.names.production))
    assert service is not None
    url = f"http://{service['spec']['clusterIP']}:80{path}"
    _forget_unanswered(place.cluster)

    def load(fresh_share: float, connections: int) -> BackgroundLoad:
        return BackgroundLoad(
            LoadPlan(
                url=url,
                rate=RATE,
                seconds=seconds,
                connections=connections,
                fresh_share=fresh_share,
                timeout_seconds=5,
                test_network=SERVICE_RANGE,
            )
        )

    traffic = ClusterTraffic()
    with load(1.0, 128) as fresh, load(0.0, KEPT_CONNECTIONS) as kept:
        yield traffic
        traffic.fresh, traffic.kept = fresh.stop(), kept.stop()


def _forget_unanswered(cluster: TestCluster) -> None:
    """Lets the node forget connections to a Service that kube-proxy did not know yet.

    It remembers for two minutes that they were sent nowhere. A client that happens to get the same
    port in that time is sent nowhere too: measured, 1 to 3 of 19,000 without any switch.
    """
    subprocess.run(
        cluster.command(["conntrack", "--delete", "--proto", "tcp", "--state", "SYN_SENT"]),
        capture_output=True,
        # It fails when there are none.
        check=False,
    )


@dataclass
class Writes:
    """When the router's Service was written, by `time.monotonic()`; one for each color it got."""

    seen: list[tuple[float, str]] = field(default_factory=list)

    def of(self, color: str) -> float:
        """The last time that this color was written."""
        return max(at for at, written in self.seen if written == color)


@contextlib.contextmanager
def watched_writes(place: Place, seconds: int = LONGEST_SECONDS) -> Iterator[Writes]:
    """Notes every change of the selector as the API server tells it: milliseconds later."""
    writes = Writes()
    end = threading.Event()
    watcher = threading.Thread(target=_watch_until, args=(end, place, writes, seconds), daemon=True)
    watcher.start()
    try:
        yield writes
    finally:
        end.set()


def _watch_until(end: threading.Event, place: Place, writes: Writes, seconds: int) -> None:
    try:
        _watch(place, writes, end, seconds)
    except ProtocolError:
        # A cluster that is taken down afterwards ends the answer that nobody waits for any more.
        if not end.is_set():
            raise


def _watch(place: Place, writes: Writes, end: threading.Event, seconds: int) -> None:
    names, watch = place.names, Watch()
    with place.cluster.asking() as api:
        for event in watch.stream(
            CoreV1Api(api).list_namespaced_service,
            names.namespace,
            field_selector=f"metadata.name={names.production}",
            timeout_seconds=seconds,
        ):
            if end.is_set():
                return
            selector = event["raw_object"]["spec"].get("selector") or {}
            writes.seen.append((time.monotonic(), selector.get("color", "")))
