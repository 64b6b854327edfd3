"""Command line of this part: `python -m benchmarks kubernetes-traffic`."""

import argparse
from collections.abc import Sequence

from rich.console import Console

from benchmarks.kubernetes.node_command import run_on_node
from benchmarks.kubernetes.traffic import measure_traffic
from benchmarks.options import BENCH, add_output_options

__all__ = ["main"]

_SWITCHES, _QUICK_SWITCHES = 5, 2


def main(arguments: Sequence[str], console: Console) -> int:
    """Measures and returns the exit status; whatever is lost is no failure."""
    options = _parser().parse_args(arguments)
    switches = _QUICK_SWITCHES if options.quick else _SWITCHES
    return run_on_node(
        lambda cluster, tell: measure_traffic(switches, cluster, tell), options, console
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks kubernetes-traffic",
        description="Measures what clients see of a switch that also takes the old color away, "
        "beside plain Pulumi and patches by hand, on a node of its own; needs root.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"{_QUICK_SWITCHES} switches, not {_SWITCHES}"
    )
    add_output_options(parser, BENCH / "kubernetes-traffic.json")
    return parser
