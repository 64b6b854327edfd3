"""The configuration of what makes a machine a node."""

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools.cluster.images import PAUSE_IMAGE

__all__ = ["NODE_ADDRESS", "NODE_GATEWAY", "NODE_NAME", "NodeFiles"]

NODE_NAME = "node-0"
NODE_ADDRESS = "10.77.0.1"
NODE_GATEWAY = "10.77.0.254"
POD_RANGE = "10.244.0.0/24"


@dataclass(frozen=True, kw_only=True)
class NodeFiles:
    """Where everything is; what is written into `folder`, and what is made in `run`."""

    folder: Path
    run: Path
    """Short: a path of a socket has at most 107 bytes."""

    certificates: Path
    plugins: Path
    """The programs that make the pods' networks."""

    group: str
    """The control group of all pods."""

    min_sync_period: str
    """How long kube-proxy waits, at least, from one change of its rules to the next."""

    snapshotter: str

    @property
    def socket(self) -> Path:
        """Where containerd listens."""
        return self.run / "containerd.sock"

    @property
    def containerd(self) -> Path:
        """The configuration of containerd."""
        return self.folder / "containerd.toml"

    @property
    def kubelet(self) -> Path:
        """The configuration of the kubelet."""
        return self.folder / "kubelet.yaml"

    @property
    def proxy(self) -> Path:
        """The configuration of kube-proxy."""
        return self.folder / "kube-proxy.yaml"

    def write(self) -> None:
        """Writes all of them."""
        for folder in (self.run, self.folder / "cni"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "cni" / "10-bridge.conflist").write_text(json.dumps(self._pod_network()))
        self.containerd.write_text(self._containerd())
        self.kubelet.write_text(yaml.safe_dump(self._kubelet()))
        self.proxy.write_text(yaml.safe_dump(self._proxy()))

    def _pod_network(self) -> dict[str, object]:
        addresses = {
            "type": "host-local",
            "dataDir": str(self.run / "addresses"),
            "ranges": [[{"subnet": POD_RANGE}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        bridge = {
            "type": "bridge",
            "bridge": "pods",
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": addresses,
        }
        return {"cniVersion": "0.4.0", "name": self.group, "plugins": [bridge]}

    def _containerd(self) -> str:
        cri = 'plugins."io.containerd.grpc.v1.cri"'
        runc = f"{cri}.containerd.runtimes.runc"
        text = json.dumps
        return f"""\
version = 2
root = {text(str(self.folder / "containerd"))}
state = {text(str(self.run / "containerd"))}
[grpc]
  address = {text(str(self.socket))}
[plugins."io.containerd.internal.v1.opt"]
  path = {text(str(self.folder / "opt"))}
[{cri}]
  sandbox_image = {text(PAUSE_IMAGE)}
  disable_apparmor = true
  # Without CAP_SYS_RESOURCE, as in a container, no process may be given a lower value.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[{cri}.cni]
  bin_dir = {text(str(self.plugins))}
  conf_dir = {text(str(self.folder / "cni"))}
[{cri}.containerd]
  snapshotter = {text(self.snapshotter)}
  default_runtime_name = "runc"
[{runc}]
  runtime_type = "io.containerd.runc.v2"
[{runc}.options]
  Root = {text(str(self.run / "runc"))}
  SystemdCgroup = false
"""

    def _kubelet(self) -> dict[str, object]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": NODE_ADDRESS,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(self.certificates / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(self.certificates / "kubelet.crt"),
            "tlsPrivateKeyFile": str(self.certificates / "kubelet.key"),
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "failCgroupV1": False,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.group}",
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
            },
            # Nobody answers there: no name is resolved in pods but those of services in variables.
            "clusterDNS": ["10.96.0.10"],
            "resolvConf": "",
            "podLogsDir": str(self.folder / "pod-logs"),
            "volumePluginDir": str(self.folder / "volume-plugins"),
        }

    def _proxy(self) -> dict[str, object]:
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "bindAddress": NODE_ADDRESS,
            "hostnameOverride": NODE_NAME,
            "clientConnection": {
                "kubeconfig": str(self.certificates / "kube-proxy.kubeconfig"),
            },
            # Also from pod to pod: where the kernel does not show iptables what crosses a bridge,
            # the answer must not come back over it.
            "iptables": {"minSyncPeriod": self.min_sync_period, "masqueradeAll": True},
            # These limits are of the whole machine.
            "conntrack": {"maxPerCore": 0, "min": 0},
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
        }
