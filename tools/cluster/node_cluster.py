"""A cluster with a real node: pods that run and serve, behind Services that kube-proxy makes.

Everything, the control plane too, is in a network namespace of its own, from which nothing gets
out. Needs root.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from tools.cluster import cgroups, sysctls
from tools.cluster.cluster import OwnCluster
from tools.cluster.control_plane import ControlPlane
from tools.cluster.errors import ClusterError, MissingError
from tools.cluster.folders import mounts_below
from tools.cluster.images import write_images
from tools.cluster.network import NetworkNamespace
from tools.cluster.node_files import NODE_ADDRESS, NODE_GATEWAY, NODE_NAME, NodeFiles
from tools.cluster.packages import find_programs, require_programs
from tools.cluster.processes import wait_until

__all__ = ["RUN", "NodeCluster"]

CONTAINERD, KUBELET, PROXY = "containerd", "kubelet", "kube-proxy"
PACKAGES = {
    "busybox": "busybox-static",
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "host-local": "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "umount": "mount",
    "unshare": "util-linux",
}
RUN = Path("/run/bluegreen")
"""Each node of this machine has a folder here."""

NETWORK_RESULTS = Path("/var/lib/cni/results")
LOG_LINKS = Path("/var/log/containers")
SHIM_SOCKETS = Path("/run/containerd/s")
# Removed when empty, the inner ones first.
FOLDERS_OF_TRACES = (
    *(NETWORK_RESULTS, NETWORK_RESULTS.parent),
    *(LOG_LINKS, SHIM_SOCKETS, SHIM_SOCKETS.parent),
)
LONGEST_SOCKET = 107
SHIM_SECONDS = 10.0


class NodeCluster(OwnCluster):
    """One node that runs pods of the images `local/shop:1` to `1.3` and `local/busybox:1`."""

    kind = "node"
    parts = (CONTAINERD, KUBELET, PROXY)
    nodes = 1

    def __init__(
        self,
        folder: Path,
        *,
        definitions: Path | None = None,
        say: Callable[[str], None] = lambda _line: None,
        min_sync_period: str = "1s",
    ) -> None:
        """`min_sync_period` is kube-proxy's, from one change of its rules to the next."""
        super().__init__(folder, definitions=definitions, say=say)
        # Found again by the next one in the same folder, and another one than in any other.
        self.name = f"bg-{hashlib.sha256(bytes(self.folder)).hexdigest()[:8]}"
        self._run = RUN / self.name
        self._min_sync_period = min_sync_period
        self._network = self._namespace = NetworkNamespace(
            self._run / "network", programs=find_programs(PACKAGES)
        )
        self.control_plane = ControlPlane(self.folder, self._namespace, node_address=NODE_ADDRESS)

    @cached_property
    def _programs(self) -> dict[str, str]:
        return require_programs(PACKAGES)

    @cached_property
    def _files(self) -> NodeFiles:
        return NodeFiles(
            folder=self.folder,
            run=self._run,
            certificates=self.control_plane.certificates,
            plugins=Path(self._programs["host-local"]).parent,
            group=self.name,
            min_sync_period=self._min_sync_period,
            snapshotter="native" if _is_overlay(self.folder) else "overlayfs",
        )

    def check(self) -> None:
        """Needs root, the kernel's log, control groups, and the programs of Debian packages."""
        if os.geteuid() != 0:
            msg = "a real node needs root; nothing was started; become root, or leave out --node"
            raise MissingError(msg)
        for place in (Path("/dev/kmsg"), *cgroups.root_folders()):
            if not os.access(place, os.W_OK):
                msg = f"a real node needs {place}, which cannot be written here"
                raise MissingError(msg)
        socket = self.folder / KUBELET / "device-plugins" / "kubelet.sock"
        if len(bytes(socket)) > LONGEST_SOCKET:
            msg = f"{socket} is too long for a socket; nothing was started; use another --folder"
            raise ClusterError(msg)
        _ = self._programs

    def _start_network(self) -> None:
        self._run.mkdir(mode=0o700, parents=True)
        self._namespace.create(NODE_ADDRESS, NODE_GATEWAY)

    def _start_nodes(self) -> None:
        self._files.write()
        sysctls.save(self._run)
        cgroups.create_group(self.name)
        issue = self.control_plane.issue
        hosts = [NODE_NAME, NODE_ADDRESS]
        issue(KUBELET, name=f"system:node:{NODE_NAME}", groups=["system:nodes"], hosts=hosts)
        issue(PROXY, name="system:kube-proxy")
        self._start_containerd()
        self._start_kubelet()
        self.control_plane.start_program(PROXY, [f"--config={self._files.proxy}"])

    def _start_containerd(self) -> None:
        words = [self._programs[CONTAINERD], "--config", str(self._files.containerd)]
        self.control_plane.processes.start(CONTAINERD, self.command(words))
        self.control_plane.wait_for(
            "containerd ready", lambda: self._ctr("version") == 0, of=(CONTAINERD,)
        )
        busybox = Path(self._programs["busybox"])
        for archive in write_images(self.folder / "images", busybox):
            if self._ctr("images", "import", str(archive)) != 0:
                msg = f"containerd does not import {archive}; see `ctr images import`"
                raise ClusterError(msg)

    def _start_kubelet(self) -> None:
        options = {
            "config": str(self._files.kubelet),
            "kubeconfig": str(self.control_plane.kubeconfig_of(KUBELET)),
            "root-dir": str(self.folder / KUBELET),
            "cert-dir": str(self.folder / KUBELET / "pki"),
            "hostname-override": NODE_NAME,
            "node-ip": NODE_ADDRESS,
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        self.control_plane.start_program(KUBELET, words)

    def _ctr(self, *words: str) -> int:
        command = [self._programs["ctr"], "-a", str(self._files.socket), "-n", "k8s.io", *words]
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False
        ).returncode

    def _remove_outside(self) -> None:
        processes = self.control_plane.processes
        # First: it would start again what is killed next.
        processes.stop([KUBELET, PROXY])
        cgroups.kill_group(self.name)
        if processes.is_running(CONTAINERD):
            # It removes what it has of the pods that have ended; else that is left in /run.
            with suppress(TimeoutError):
                wait_until(lambda: not self._shims(), SHIM_SECONDS)
        processes.stop([CONTAINERD])
        processes.kill_marked()
        self._unmount()
        cgroups.remove_group(self.name)
        if os.geteuid() == 0:
            sysctls.restore(self._run)
        if self._run.exists():
            shutil.rmtree(self._run)
        with suppress(OSError):
            RUN.rmdir()
        self._remove_traces()

    def _shims(self) -> list[int]:
        """The processes that containerd has beside each pod."""
        own = set(self.control_plane.processes.running().values())
        return [each for each in self.control_plane.processes.marked() if each not in own]

    def _unmount(self) -> None:
        for place in (*mounts_below(self.folder), *mounts_below(self._run)):
            subprocess.run([self._programs["umount"], "--lazy", place], check=True)

    def _remove_traces(self) -> None:
        """What goes to fixed places, whatever the configuration says."""
        for file in NETWORK_RESULTS.glob("*"):
            # By the network namespace of the pod: some are named as everybody's are.
            if bytes(self._run) in file.read_bytes():
                file.unlink()
        for link in LOG_LINKS.glob("*.log"):
            if link.is_symlink() and link.readlink().is_relative_to(self.folder):
                link.unlink()
        for folder in FOLDERS_OF_TRACES:
            with suppress(OSError):
                folder.rmdir()


def _is_overlay(folder: Path) -> bool:
    """Whether the folder is in a container's own file system, on which no overlay can be."""
    words = ["stat", "--file-system", "--format=%T", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() == "overlayfs"
