"""The cluster that everything runs on."""

import contextlib
from collections.abc import Callable, Iterator
from itertools import count

from benchmarks.stack import ROOT
from tools.cluster.binaries import built_programs
from tools.cluster.errors import ClusterError, FolderInUseError
from tools.cluster.node_cluster import NodeCluster
from tools.engine.go_build import UnavailableError

__all__ = ["NoNodeError", "node_cluster"]


class NoNodeError(Exception):
    """This machine, or this user, cannot run a node."""


@contextlib.contextmanager
def node_cluster(tell: Callable[[str], None]) -> Iterator[NodeCluster]:
    """A node of one's own, with the calling thread in its network; all of it ends afterwards.

    Raises:
        NoNodeError: There can be none here.
    """
    with contextlib.ExitStack() as stack:
        try:
            built_programs()
            cluster = _started(stack, tell)
        except (ClusterError, UnavailableError) as error:
            raise NoNodeError(str(error)) from error
        stack.enter_context(cluster.network())
        yield cluster


def _started(stack: contextlib.ExitStack, tell: Callable[[str], None]) -> NodeCluster:
    """In the first folder that nobody is using."""
    for number in count(1):
        folder = ROOT / ".bluegreen" / f"bench-cluster-{number}"
        with contextlib.suppress(FolderInUseError):
            return stack.enter_context(NodeCluster(folder, say=tell))
    raise AssertionError
