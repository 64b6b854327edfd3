"""Clusters as tests use them: one that exists already, or one of our own in a folder."""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from kubernetes import client

from tools.cluster import folders
from tools.cluster.access import Rule, allow, user_kubeconfig
from tools.cluster.api import apply_definitions, asking, can_run_pods, create, nodes_ready
from tools.cluster.control_plane import CONTROLLER_MANAGER, ControlPlane
from tools.cluster.errors import ClusterError
from tools.cluster.network import HostNetwork, Network
from tools.cluster.processes import Usage, wait_until

__all__ = ["Cluster", "ExistingCluster", "OwnCluster"]

NAMESPACE_SECONDS = 60.0


class Cluster(ABC):
    """An API server, and who may ask it what."""

    _network: Network
    _users: Path

    @property
    @abstractmethod
    def kubeconfig(self) -> Path:
        """The administrator's."""

    def network(self) -> AbstractContextManager[None]:
        """Moves the calling thread, and what it starts, to where the cluster can be reached."""
        return self._network.entered()

    def command(self, words: Sequence[str]) -> list[str]:
        """The same command, run where the cluster can be reached."""
        return self._network.command(words)

    def asking(self) -> AbstractContextManager[client.ApiClient]:
        """The official client, as the administrator, in the calling thread."""
        return asking(self.kubeconfig, self._network)

    @contextmanager
    def new_namespace(self) -> Iterator[str]:
        """A namespace of one's own, in which pods can be made; deleted without waiting."""
        name = f"bg-{secrets.token_hex(4)}"
        with self.asking() as api:
            create(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            wait_until(lambda: can_run_pods(api, name), NAMESPACE_SECONDS)
        try:
            yield name
        finally:
            with self.asking() as api:
                client.CoreV1Api(api).delete_namespace(name)

    def kubeconfig_for(
        self, user: str, rules: Sequence[Rule], *, namespace: str = "default"
    ) -> Path:
        """The kubeconfig of a user that may do only this, and only in the namespace.

        Asked again for the same user, the rules are replaced.
        """
        file = self._users / f"{namespace}-{user}.kubeconfig"
        with self.asking() as api:
            allow(api, user, namespace, rules)
            if not file.exists():
                self._users.mkdir(mode=0o700, parents=True, exist_ok=True)
                user_kubeconfig(api, user, namespace, file)
        return file


class ExistingCluster(Cluster):
    """A cluster that somebody else runs, such as kind or k3s."""

    def __init__(self, kubeconfig: Path, users: Path) -> None:
        """`users` is a folder for the kubeconfigs of users."""
        self._network = HostNetwork()
        self._kubeconfig = kubeconfig
        self._users = users

    @property
    def kubeconfig(self) -> Path:
        """The one that was given."""
        return self._kubeconfig


class OwnCluster(Cluster):
    """A control plane and nodes in one folder.

    As a context manager it is up inside, nobody else works in its folder, and nothing is left
    of it afterwards.
    """

    kind: str
    parts: tuple[str, ...]
    """The processes beside those of the control plane."""

    control_plane: ControlPlane
    nodes: int

    def __init__(
        self,
        folder: Path,
        *,
        definitions: Path | None = None,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """`definitions` is a folder of custom resource definitions to begin with."""
        self.folder = folder.absolute()
        self._users = self.folder / "users"
        self._definitions = definitions
        self._say = say
        self._until_exit = ExitStack()

    @property
    def kubeconfig(self) -> Path:
        """Of a user in the group system:masters."""
        return self.control_plane.kubeconfig

    def up(self) -> None:
        """Starts the cluster, unless it runs; what is left of one that was killed is removed.

        Raises:
            ClusterError: Something is missing or does not work; nothing is left of the attempt.
        """
        with folders.reserved(self.folder):
            self._up()

    def down(self) -> None:
        """Ends the cluster and removes all there is of it."""
        with folders.reserved(self.folder):
            self._down()

    def is_up(self) -> bool:
        """Whether every process runs and the API server is ready."""
        processes = self.control_plane.processes
        is_complete = folders.kind_of(self.folder) == self.kind and all(
            processes.is_running(name) for name in (*self.control_plane.parts, *self.parts)
        )
        return is_complete and self.control_plane.is_ready()

    def usage(self) -> dict[str, Usage]:
        """What each process takes."""
        return self.control_plane.processes.usage()

    def stop_api_server(self) -> None:
        """Kills the API server: nobody is told, as in a crash."""
        self.control_plane.stop_api_server()

    def start_api_server(self) -> None:
        """Starts it again, at the same address, and waits until it is ready."""
        self.control_plane.start_api_server()

    def __enter__(self) -> Self:
        """Starts it afresh; the folder stays reserved until the end."""
        with ExitStack() as stack:
            stack.enter_context(folders.reserved(self.folder))
            self.check()
            self._down()
            stack.callback(self._down)
            self._up()
            self._until_exit = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends and removes it."""
        self._until_exit.close()

    @abstractmethod
    def check(self) -> None:
        """Looks at what such a cluster needs of the machine.

        Raises:
            MissingError: It cannot run here; the text says why.
        """

    def _start_network(self) -> None:
        """Makes what even the control plane needs."""

    @abstractmethod
    def _start_nodes(self) -> None:
        """Starts what pods run on."""

    @abstractmethod
    def _remove_outside(self) -> None:
        """Ends and removes what is not in the folder."""

    def _up(self) -> None:
        self._check_folder()
        if self.is_up():
            return
        other = folders.kind_of(self.folder)
        if other not in (None, self.kind) and self.control_plane.processes.running():
            msg = (
                f"in {self.folder} another kind of cluster runs ({other}); nothing was started;"
                " take that one down first, or choose another folder"
            )
            raise ClusterError(msg)
        self.check()
        self._check_definitions()
        self._down()
        folders.make(self.folder, self.kind)
        try:
            self._start()
        except BaseException:
            self._down()
            raise

    def _check_folder(self) -> None:
        # What runs in it tells its owner too, if somebody has removed a part of it.
        if not self.control_plane.processes.marked():
            folders.check(self.folder)

    def _check_definitions(self) -> None:
        if self._definitions is not None and not any(self._definitions.glob("*.yaml")):
            msg = f"no *.yaml in {self._definitions}; no cluster was started"
            raise ClusterError(msg)

    def _start(self) -> None:
        self._start_network()
        self._say("starting the control plane")
        self.control_plane.start()
        self._say("starting the nodes")
        self._start_nodes()
        self.control_plane.wait_for(
            "every node ready", self._is_usable, of=(CONTROLLER_MANAGER, *self.parts)
        )
        if self._definitions is not None:
            with self.asking() as api:
                apply_definitions(api, self._definitions)

    def _is_usable(self) -> bool:
        with self.asking() as api:
            return can_run_pods(api, "default") and nodes_ready(api) == self.nodes

    def _down(self) -> None:
        processes = self.control_plane.processes
        self._check_folder()
        self._remove_outside()
        processes.stop(processes.running())
        processes.kill_marked()
        self.control_plane.forget()
        folders.clear(self.folder)
