"""The same load on the same members, whatever moves it and lets the old color go."""

import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Machine
from benchmarks.kubernetes.stack import KubernetesStack, stack_of
from benchmarks.kubernetes.traffic_figures import ClusterTraffic, ClusterTrafficReport
from benchmarks.kubernetes.ways import (
    MEMBERS,
    OneUpdate,
    Patches,
    Retirement,
    Way,
    prepare,
    until_ready,
)
from benchmarks.stack import ROOT
from benchmarks.traffic.counting import traffic_of
from benchmarks.traffic.figures import Move, Traffic
from bluegreen.load import Recording
from tests.engine.kubernetes_load import Writes, traffic_on, watched_writes
from tools.cluster.node_cluster import NodeCluster

__all__ = ["both_of", "measure_traffic", "measure_way"]

_PROGRAMS = Path(__file__).resolve().parent
_CALM_SECONDS = 1.0
_AFTER_SECONDS = 3.0
"""Between the end of the old color and its return."""

_LONGEST_SECONDS = 1800
"""Longer than it ever takes; the load is stopped."""


def measure_traffic(
    switches: int, cluster: NodeCluster, tell: Callable[[str], None]
) -> ClusterTrafficReport:
    """Every way in turn, each in a namespace of its own.

    Raises:
        BenchmarkError: Something did not happen as it must.
    """
    load, ways, version = os.getloadavg()[0], [], ""
    with _stack(ROOT / "stacks", cluster) as stack:
        version = stack.pulumi_version
        ways.append(measure_way(Retirement(stack), switches, tell))
    with _stack(_PROGRAMS / "plain", cluster) as stack:
        ways.append(measure_way(OneUpdate("plain, pulumi up", stack), switches, tell))
        # Last: afterwards the program does not know any more what is there.
        by_hand = measure_way(Patches(stack), switches, tell)
    with _stack(_PROGRAMS / "awaiting", cluster) as stack:
        ways.append(measure_way(OneUpdate("awaiting, pulumi up", stack), switches, tell))
    machine = Machine(os.cpu_count() or 0, round(load, 2), platform.python_version(), version)
    return ClusterTrafficReport(machine, [*ways, by_hand])


def measure_way(way: Way, switches: int, tell: Callable[[str], None]) -> ClusterTraffic:
    """Switches under load, with the old color brought back in between."""
    tell(f"{way.name}: {switches} switches under load")
    # What connections left behind that were never answered would be taken for another's.
    subprocess.run(["conntrack", "-F"], check=True, capture_output=True)
    place = way.stack.place
    with (
        watched_writes(place, _LONGEST_SECONDS) as writes,
        traffic_on(place, seconds=_LONGEST_SECONDS) as traffic,
    ):
        calm_start = time.monotonic()
        time.sleep(_CALM_SECONDS)
        calm = calm_start, time.monotonic()
        moves = list(_moves(way, switches, writes))
    assert traffic.fresh is not None
    assert traffic.kept is not None
    return both_of(traffic_of(way.name, traffic.fresh, moves, calm), traffic.kept)


def both_of(fresh: Traffic, kept: Recording) -> ClusterTraffic:
    """The figures of both loads."""
    return ClusterTraffic(fresh, len(kept), kept.failed())


def _moves(way: Way, switches: int, writes: Writes) -> Iterator[Move]:
    for _ in range(switches):
        color = way.stack.live()
        started = time.monotonic()
        way.switch()
        returned = time.monotonic()
        until_ready(way.stack, color, 0)
        time.sleep(_AFTER_SECONDS)
        way.restore()
        until_ready(way.stack, color, MEMBERS)
        yield Move(str(color), str(color.other), started, returned, writes.of(str(color.other)))


@contextmanager
def _stack(program: Path, cluster: NodeCluster) -> Iterator[KubernetesStack]:
    with stack_of(program, cluster) as stack:
        prepare(stack)
        yield stack
