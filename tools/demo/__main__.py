"""Command line of the demo: `make demo`, or `python -m tools.demo` after `. .bluegreen/env`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools.demo.errors import Interrupted
from tools.demo.performance import EXPECTED_ERRORS, perform
from tools.demo.plan import DEFAULT_RATE, DEFAULT_SWITCHES, DemoPlan
from tools.demo.screen import Screen

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[2]
_README_PICTURE = _ROOT / "docs" / "images" / "demo-timeline.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Gives the demo and returns the exit status."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    screen = Screen()
    try:
        return perform(_plan(options), screen)
    except EXPECTED_ERRORS as error:
        screen.bad(str(error))
        return 1
    except Interrupted as interruption:
        screen.bad(str(interruption))
        return interruption.exit_code


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)


def _plan(options: argparse.Namespace) -> DemoPlan:
    return DemoPlan(
        root=_ROOT,
        into=options.into.absolute(),
        stack=options.stack,
        first_port=options.first_port,
        rate=options.rate,
        switches=options.switches,
        keep=os.environ.get("KEEP", "") not in ("", "0"),
        picture_copy=_README_PICTURE if options.for_readme else None,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.demo",
        description="Deploys, switches under load, is refused, rolls back, retires, destroys. "
        "KEEP=1 in the environment leaves it running.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--stack", default="demo", help="stack to make and to remove (default: demo)")
    add("--first-port", type=int, metavar="PORT", help="first of 18 ports to use instead")
    add("--into", type=Path, default=_ROOT / ".bluegreen" / "demo", help="folder for results")
    add("--rate", type=float, default=DEFAULT_RATE, help="requests a second (default: %(default)g)")
    add("--switches", type=int, default=DEFAULT_SWITCHES, help="moves before the broken release")
    add(
        "--for-readme", action="store_true", help=f"also write {_README_PICTURE.relative_to(_ROOT)}"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
