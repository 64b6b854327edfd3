"""The driver on a cluster of pretended pods: everything but what a pod would answer is real.

Nobody may be sent to the addresses of such pods, so the colors' own addresses are a server of the
test, and production is not asked: what the API says counts.
"""

import contextlib
import itertools
import json
import shutil
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bluegreen.kubernetes.cluster import Cluster, ClusterAccess
from bluegreen.kubernetes.members import release_of
from bluegreen.kubernetes.names import ObjectNames
from tests.engine.kubernetes_driver import KubernetesDriver
from tests.engine.pulumi_stack import REPOSITORY
from tools.cluster.cluster import Cluster as TestCluster

__all__ = ["KwokDriver", "kwok_driver"]


class KwokDriver(KubernetesDriver):
    """A service whose members are pretended."""

    colors: "Colors"
    """Answers in the place of the members."""

    def kubernetes_settings(self) -> dict[str, Any]:
        settings = super().kubernetes_settings() | {
            "color_url": f"{self.production_url}/{{color}}",
            "propagation_seconds": 0.1,
        }
        del settings["production_url"]
        return settings


class Colors(ThreadingHTTPServer):
    """Answers below `/blue` and `/green` what the members of that color would."""

    daemon_threads = True

    def __init__(self, api: Cluster, names: ObjectNames) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.api, self.names = api, names
        self.is_flapping = False
        # Of each path: two gates that take turns would else be told the same thing every time.
        self._asked: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)

    def release(self, color: str) -> str | None:
        path = self.names.group("apps/v1", "deployments", f"{self.names.service}-{color}")
        return release_of(self.api.get(path))

    def is_away(self, path: str) -> bool:
        """Whether it is a moment of not being ready: every other one of a server that flaps."""
        return self.is_flapping and next(self._asked[path]) % 2 == 1


class _Answer(BaseHTTPRequestHandler):
    server: Colors

    def do_GET(self) -> None:
        color = self.path.split("/")[1]
        release = self.server.release(color)
        body = json.dumps({"color": color, "version": release}).encode()
        self.send_response(200 if release and not self.server.is_away(self.path) else 503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextlib.contextmanager
def _place(cluster: TestCluster) -> Iterator[tuple[Path, str, Colors]]:
    directory = Path(tempfile.mkdtemp(prefix="bg-"))
    api = Cluster(ClusterAccess(kubeconfig=str(cluster.kubeconfig)))
    try:
        with (
            cluster.new_namespace() as namespace,
            Colors(api, ObjectNames("shop", namespace)) as server,
        ):
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield directory, namespace, server
            server.shutdown()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def kwok_driver(
    cluster: TestCluster, *, main: Path = REPOSITORY / "stacks"
) -> Iterator[KwokDriver]:
    """A driver in a namespace of its own, of the program in `main`."""
    with _place(cluster) as (directory, namespace, colors):
        driver = KwokDriver(directory, cluster, namespace, colors.server_port, main=main)
        driver.colors = colors
        yield driver
