"""What the command lines of this part have in common: a node, which may not be had here."""

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Protocol

from rich.console import Console
from rich.text import Text

from benchmarks.kubernetes.node import NoNodeError, node_cluster
from benchmarks.options import publish, status_of
from benchmarks.table import Page
from tools.cluster.node_cluster import NodeCluster

__all__ = ["Figures", "run_on_node"]


class Figures(Protocol):
    """What was measured."""

    def content(self) -> object:
        """All of it, for JSON."""

    def pages(self) -> Sequence[Page]:
        """The tables."""


def run_on_node(
    measure: Callable[[NodeCluster, Callable[[str], None]], Figures],
    options: argparse.Namespace,
    console: Console,
) -> int:
    """The exit status; without a node it says why, and that is no failure."""

    def tell(text: str) -> None:
        console.print(Text(text, "dim"), soft_wrap=True)

    def work() -> int:
        try:
            with node_cluster(tell) as cluster:
                figures = measure(cluster, tell)
                tell("removing all")
        except NoNodeError as error:
            text = f"Kubernetes was not measured: {error}"
            console.print(Text(text, "yellow"), soft_wrap=True)
            return 0
        content = json.dumps(figures.content(), indent=2, ensure_ascii=False) + "\n"
        publish(content, figures.pages(), options, console)
        return 0

    return status_of(work, console)
