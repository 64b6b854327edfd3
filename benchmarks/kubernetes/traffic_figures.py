"""What clients saw of every way to switch, and the table of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.figures import Machine
from benchmarks.table import Page, about_machine, spread_of, table_of
from benchmarks.traffic.figures import Traffic

__all__ = ["ClusterTraffic", "ClusterTrafficReport"]

_TITLES = ("fresh failed", "kept failed", "stale", "followed, ms", "command, s")


@dataclass(frozen=True, slots=True)
class ClusterTraffic:
    """What the clients of one way to switch saw."""

    fresh: Traffic
    """Of requests on a connection each: kube-proxy decides anew for every one."""

    kept_requests: int
    """On connections that the client keeps open, which kube-proxy leaves where they are."""

    kept_failed: int


@dataclass(frozen=True, slots=True)
class ClusterTrafficReport:
    """All ways, side by side."""

    machine: Machine
    ways: Sequence[ClusterTraffic]

    def content(self) -> object:
        """What was measured."""
        return asdict(self)

    def pages(self) -> list[Page]:
        """One table: a row for each way."""
        table = table_of("side by side", *_TITLES)
        for way in self.ways:
            table.add_row(way.fresh.name, *_cells(way))
        notes = [
            f"{self.ways[0].fresh.switches} switches each, in which the old color also loses its "
            "members; medians (smallest to largest).",
            "Fresh: a connection each; kept: 16 connections. Stale: fresh, sent after the command "
            "had returned, and answered by the old color.",
            about_machine(self.machine),
        ]
        return [Page([table], notes)]


def _cells(way: ClusterTraffic) -> tuple[str, ...]:
    fresh = way.fresh
    return (
        f"{fresh.failed:,} of {fresh.requests:,}",
        f"{way.kept_failed:,} of {way.kept_requests:,}",
        f"{fresh.stale:,} of {fresh.asked_after:,}",
        spread_of(fresh.followed_ms, digits=0),
        f"{fresh.command_ms.median / 1000:.1f}",
    )
