"""Command line of the test clusters: `make cluster`, or `python -m tools.cluster`."""

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools.cluster import folders
from tools.cluster.cluster import OwnCluster
from tools.cluster.errors import ClusterError, MissingError
from tools.cluster.kwok_cluster import KwokCluster
from tools.cluster.node_cluster import NodeCluster
from tools.engine.go_build import UnavailableError

__all__ = ["main"]

MISSING = 2
ROOT = Path(__file__).resolve().parents[2]
KINDS: dict[str, type[OwnCluster]] = {each.kind: each for each in (KwokCluster, NodeCluster)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line says and returns the exit status."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        _say("interrupted; `down` removes what may be left")
        return 130
    except UnavailableError as error:
        _say(f"no cluster: {error}")
        return error.status
    except ClusterError as error:
        _say(str(error))
        return MISSING if isinstance(error, MissingError) else 1


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _up(options: argparse.Namespace) -> int:
    kind = NodeCluster if options.node else KwokCluster
    cluster = kind(options.folder, definitions=options.definitions, say=_say)
    cluster.up()
    words = cluster.command([])
    if words:
        _say(f"reach it with: {shlex.join(words)} COMMAND")
    print(f"export KUBECONFIG={shlex.quote(str(cluster.kubeconfig))}")
    return 0


def _down(options: argparse.Namespace) -> int:
    kind = folders.kind_of(options.folder)
    # Somebody may have removed the folder alone; a node leaves all that there can be.
    cluster = KINDS.get(kind or "", NodeCluster)(options.folder)
    if kind is None and not cluster.control_plane.processes.marked():
        _say(f"no cluster in {options.folder}")
    cluster.down()
    return 0


def _status(options: argparse.Namespace) -> int:
    kind = folders.kind_of(options.folder)
    if kind is None:
        _say(f"no cluster in {options.folder}")
        return 1
    cluster = KINDS[kind](options.folder)
    is_up = cluster.is_up()
    print(f"{kind} cluster in {cluster.folder}: {'up' if is_up else 'not complete'}")
    for name, usage in cluster.usage().items():
        print(
            f"  {name:24} pid {usage.process:<8} {usage.memory_mib:>5} MiB"
            f" {usage.processor_seconds:>8.1f} s"
        )
    return 0 if is_up else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.cluster", description="Test clusters on this machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start a cluster, unless it runs; print its KUBECONFIG")
    up.set_defaults(run=_up)
    up.add_argument(
        "--node", action="store_true", help="with a real node that runs pods; needs root"
    )
    up.add_argument(
        "--definitions", type=Path, metavar="DIR", help="custom resource definitions to create"
    )
    down = commands.add_parser("down", help="end it and remove all there is of it")
    down.set_defaults(run=_down)
    status = commands.add_parser("status", help="say whether it is up, and what it takes")
    status.set_defaults(run=_status)
    for command in (up, down, status):
        command.add_argument(
            "--folder",
            type=Path,
            default=ROOT / ".bluegreen" / "cluster",
            help="folder of the cluster (default: .bluegreen/cluster)",
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
