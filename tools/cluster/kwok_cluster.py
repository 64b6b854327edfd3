"""A cluster whose nodes kwok only pretends: pods become ready, and serve nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tools.cluster.api import create
from tools.cluster.cluster import OwnCluster
from tools.cluster.control_plane import ControlPlane
from tools.cluster.kwok_stages import stages

__all__ = ["KwokCluster"]

KWOK = "kwok"
NODES = 2
CAPACITY = {"cpu": "1000", "memory": "4Ti", "pods": "20000"}


class KwokCluster(OwnCluster):
    """Everything that the API server says of pods is there, on two nodes in two zones."""

    kind = "kwok"
    parts = (KWOK,)
    nodes = NODES

    def __init__(
        self,
        folder: Path,
        *,
        definitions: Path | None = None,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        super().__init__(folder, definitions=definitions, say=say)
        self.control_plane = ControlPlane(self.folder)
        self._network = self.control_plane.network

    def check(self) -> None:
        """Runs wherever its programs do."""

    def _start_nodes(self) -> None:
        configuration = self.folder / "kwok.yaml"
        configuration.write_text(yaml.safe_dump_all(stages()))
        options = {
            "kubeconfig": str(self.kubeconfig),
            "config": str(configuration),
            "manage-all-nodes": "true",
            "node-lease-duration-seconds": "40",
            # Of ranges that are for documentation and tests: nothing has them.
            "node-ip": "192.0.2.1",
            "cidr": "198.18.0.0/15",
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        self.control_plane.start_program(KWOK, words)
        with self.asking() as api:
            for number in range(NODES):
                create(api, _node(number))

    def _remove_outside(self) -> None:
        """There is nothing."""


def _node(number: int) -> dict[str, Any]:
    name = f"node-{number}"
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-{number}"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux", **labels}},
        "status": {"allocatable": CAPACITY, "capacity": CAPACITY},
    }
