"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler, in one folder."""

import json
import ssl
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

import httpx

from tools.cluster.binaries import built_programs
from tools.cluster.certificates import Authority, new_key, pem_of_key, write_private
from tools.cluster.kubeconfig import write_kubeconfig
from tools.cluster.network import HostNetwork, Network, free_ports
from tools.cluster.packages import require_programs
from tools.cluster.processes import Processes

__all__ = ["API_SERVER", "CONTROLLER_MANAGER", "ControlPlane"]

PACKAGES = {"etcd": "etcd-server"}
ETCD, API_SERVER = "etcd", "kube-apiserver"
CONTROLLER_MANAGER, SCHEDULER = "kube-controller-manager", "kube-scheduler"
SERVICE_RANGE = "10.96.0.0/16"
LOOPBACK = "127.0.0.1"
SERVER_NAMES = (
    *("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"),
    *(LOOPBACK, "10.96.0.1"),
)


class ControlPlane:
    """The part of a cluster that everything else asks; RBAC is on."""

    def __init__(
        self, folder: Path, network: Network | None = None, *, node_address: str | None = None
    ) -> None:
        """`node_address` is where pods reach the API server, if there are real ones."""
        self.folder = folder
        self.network = network or HostNetwork()
        self.processes = Processes(folder)
        self.certificates = folder / "certificates"
        self._node_address = node_address

        self._client: httpx.Client | None = None
        self._ports: dict[str, int] = {}

    @property
    def parts(self) -> tuple[str, ...]:
        """The processes it is made of."""
        return ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER

    @property
    def kubeconfig(self) -> Path:
        """For the administrator."""
        return self.kubeconfig_of("admin")

    def kubeconfig_of(self, client: str) -> Path:
        """For a client that has been given a certificate."""
        return self.certificates / f"{client}.kubeconfig"

    @property
    def ports(self) -> dict[str, int]:
        """Which port of loopback is whose."""
        if not self._ports:
            self._ports = json.loads((self.folder / "ports.json").read_text())
        return self._ports

    @property
    def server(self) -> str:
        """The address of the API server."""
        return f"https://{LOOPBACK}:{self.ports['api']}"

    def start(self) -> None:
        """Starts everything in an empty folder, each process once what it needs is there.

        Raises:
            ClusterError: A program is missing, ended, or did not become ready.
            UnavailableError: A program cannot be built.
        """
        self._prepare()
        self.processes.start(ETCD, [*self.network.command([self._etcd]), *self._etcd_options()])
        self.start_api_server()
        # Not earlier: they end when the roles that let them read are not there yet.
        self.start_program(CONTROLLER_MANAGER, self._controller_manager_options())
        self.start_program(SCHEDULER, self._client_options(SCHEDULER))

    def start_program(self, name: str, options: Iterable[str]) -> None:
        """Starts one of the programs that are built here."""
        program = str(built_programs() / name)
        self.processes.start(name, [*self.network.command([program]), *options])

    def start_api_server(self) -> None:
        """Starts the API server, where it was if it has been stopped, and waits for it.

        Raises:
            ClusterError: It ended, or did not become ready.
        """
        if not self.processes.is_running(API_SERVER):
            self.start_program(API_SERVER, self._api_server_options())
        self.wait_for("ready to answer", self.is_ready, of=(ETCD, API_SERVER))

    def stop_api_server(self) -> None:
        """Kills the API server: nobody is told, as in a crash."""
        self.processes.stop([API_SERVER])

    def forget(self) -> None:
        """Lets go of what was true of a cluster that has ended."""
        if self._client is not None:
            self._client.close()
        self._client, self._ports = None, {}

    def is_ready(self) -> bool:
        """Whether the API server says that it is."""
        try:
            with self.network.entered():
                return self._asking().get("/readyz").is_success
        except httpx.TransportError:
            return False

    def wait_for(self, what: str, condition: Callable[[], bool], *, of: tuple[str, ...]) -> None:
        """Waits for what these processes bring about.

        Raises:
            ClusterError: One of them ended, or it took too long.
        """
        self.processes.wait_for(what, condition, of=of)

    def issue(
        self, client: str, *, name: str, groups: Iterable[str] = (), hosts: Iterable[str] = ()
    ) -> None:
        """Writes the certificate, key and kubeconfig of a client that `start` is to know."""
        pair = self._authority.issue(name, organizations=groups, hosts=hosts)
        pair.write(self.certificates, client)
        write_kubeconfig(
            self.kubeconfig_of(client),
            server=self.server,
            authority=self._authority.pair.certificate,
            user=pair,
        )

    def file(self, name: str) -> str:
        """The path of a certificate or key."""
        return str(self.certificates / name)

    @cached_property
    def _authority(self) -> Authority:
        return Authority("bluegreen")

    @cached_property
    def _etcd(self) -> str:
        return require_programs(PACKAGES)["etcd"]

    def _asking(self) -> httpx.Client:
        if self._client is None:
            context = ssl.create_default_context(cafile=self.file("ca.crt"))
            context.load_cert_chain(self.file("admin.crt"), self.file("admin.key"))
            self._client = httpx.Client(
                base_url=self.server, verify=context, timeout=5, trust_env=False
            )
        return self._client

    def _prepare(self) -> None:
        _ = self._etcd
        built_programs()
        self.certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.forget()
        ports = dict(zip(("etcd", "etcd-peers", "api"), free_ports(3), strict=True))
        (self.folder / "ports.json").write_text(json.dumps(ports))
        self._write_certificates()

    def _write_certificates(self) -> None:
        self._authority.pair.write(self.certificates, "ca")
        own = [self._node_address] if self._node_address else []
        server = self._authority.issue("kube-apiserver", hosts=[*SERVER_NAMES, *own])
        server.write(self.certificates, API_SERVER)
        write_private(self.certificates / "service-accounts.key", pem_of_key(new_key()))
        # An authority of its own: whoever has any certificate of the cluster must not get at etcd.
        for_etcd = Authority("bluegreen-etcd")
        for_etcd.pair.write(self.certificates, "etcd-ca")
        for_etcd.issue("etcd", hosts=["localhost", LOOPBACK]).write(self.certificates, ETCD)
        self.issue("admin", name="bluegreen-admin", groups=["system:masters"])
        for name in (CONTROLLER_MANAGER, SCHEDULER):
            self.issue(name, name=f"system:{name}")

    def _etcd_options(self) -> list[str]:
        clients = f"https://{LOOPBACK}:{self.ports['etcd']}"
        peers = f"https://{LOOPBACK}:{self.ports['etcd-peers']}"
        options = {
            "name": "bluegreen",
            "data-dir": str(self.folder / "etcd"),
            "listen-client-urls": clients,
            "advertise-client-urls": clients,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"bluegreen={peers}",
            "log-level": "warn",
            "logger": "zap",
        }
        for role in ("", "peer-"):
            options[f"{role}client-cert-auth"] = "true"
            options[f"{role}trusted-ca-file"] = self.file("etcd-ca.crt")
            options[f"{role}cert-file"] = self.file("etcd.crt")
            options[f"{role}key-file"] = self.file("etcd.key")
        return _as_options(options)

    def _api_server_options(self) -> list[str]:
        options = {
            "etcd-servers": f"https://{LOOPBACK}:{self.ports['etcd']}",
            "etcd-cafile": self.file("etcd-ca.crt"),
            "etcd-certfile": self.file("etcd.crt"),
            "etcd-keyfile": self.file("etcd.key"),
            "secure-port": str(self.ports["api"]),
            "tls-cert-file": self.file(f"{API_SERVER}.crt"),
            "tls-private-key-file": self.file(f"{API_SERVER}.key"),
            "client-ca-file": self.file("ca.crt"),
            "authorization-mode": "Node,RBAC",
            "service-cluster-ip-range": SERVICE_RANGE,
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": self.file("service-accounts.key"),
            "service-account-signing-key-file": self.file("service-accounts.key"),
            "kubelet-client-certificate": self.file("admin.crt"),
            "kubelet-client-key": self.file("admin.key"),
            # Not by its name, which nobody resolves.
            "kubelet-preferred-address-types": "InternalIP",
            # Both need a newer etcd than Debian's 3.4; watching lists, a client would wait forever.
            "feature-gates": "SizeBasedListCostEstimate=false,WatchList=false",
        }
        return _as_options(options | self._address_options())

    def _address_options(self) -> dict[str, str]:
        if self._node_address is None:
            # The addresses of the Service `kubernetes` may not be of loopback.
            return {"bind-address": LOOPBACK, "endpoint-reconciler-type": "none"}
        return {"bind-address": "0.0.0.0", "advertise-address": self._node_address}  # noqa: S104

    def _controller_manager_options(self) -> list[str]:
        options = {
            "service-account-private-key-file": self.file("service-accounts.key"),
            "root-ca-file": self.file("ca.crt"),
            "cluster-signing-cert-file": self.file("ca.crt"),
            "cluster-signing-key-file": self.file("ca.key"),
            "use-service-account-credentials": "true",
            # Made at the start; by default in /usr.
            "flex-volume-plugin-dir": str(self.folder / "volume-plugins"),
            # Enough for a thousand services at once.
            "kube-api-qps": "500",
            "kube-api-burst": "1000",
            # Nobody waits for the next look at an autoscaler, or at a node that has become ready.
            "horizontal-pod-autoscaler-sync-period": "1s",
            "node-monitor-period": "500ms",
        }
        return [*self._client_options(CONTROLLER_MANAGER), *_as_options(options)]

    def _client_options(self, name: str) -> list[str]:
        kubeconfig = str(self.kubeconfig_of(name))
        options = {"kubeconfig": kubeconfig, "leader-elect": "false", "secure-port": "0"}
        return _as_options(options)


def _as_options(options: dict[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]
