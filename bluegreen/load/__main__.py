"""Command line of the load client: `python -m bluegreen.load --url … --rate … --seconds …`."""

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from bluegreen.errors import ConfigError
from bluegreen.load.background import HEADERS_VARIABLE, STARTED_LINE
from bluegreen.load.client import run
from bluegreen.load.plan import LoadPlan
from bluegreen.load.recording import Recording
from bluegreen.load.report import summarize

__all__ = ["main"]

_WRONG_USAGE = 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(_WRONG_USAGE, f"{message}; see --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the load, prints one line of JSON and returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        plan = _plan(options)
        _check_output(options.output)
    except ConfigError as error:
        sys.stderr.write("; ".join(error.problems) + "\n")
        return _WRONG_USAGE
    # What was imported stays until the end: going through it again and again costs milliseconds.
    gc.freeze()
    if options.background:
        return _run_in_background(plan)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        recording = runner.run(_run(plan))
    if options.output is not None:
        recording.save(options.output)
    sys.stdout.write(summarize(recording).to_json() + "\n")
    return 0


def _run_in_background(plan: LoadPlan) -> int:
    sys.stdout.buffer.write(STARTED_LINE)
    sys.stdout.buffer.flush()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        recording = runner.run(_run(plan, parent_pipe=sys.stdin.fileno()))
    recording.write(sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return 0


async def _run(plan: LoadPlan, *, parent_pipe: int | None = None) -> Recording:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if parent_pipe is not None:
        loop.add_reader(parent_pipe, _end_without_parent, parent_pipe)
    try:
        return await run(plan, stop=stop)
    finally:
        if parent_pipe is not None:
            loop.remove_reader(parent_pipe)


def _end_without_parent(pipe: int) -> None:
    if not os.read(pipe, 1):
        # The parent is gone and with it the file for the recording: nobody is left to read it.
        os._exit(1)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _plan(options: argparse.Namespace) -> LoadPlan:
    headers = [header.partition(":") for header in options.header]
    if any(not separator for _, separator, _ in headers):
        raise ConfigError(["header: not of the form 'NAME: VALUE'; nothing was sent"])
    named = {name.strip(): value.strip() for name, _, value in headers}
    if options.background:
        named |= json.loads(os.environ.get(HEADERS_VARIABLE, "{}"))
    return LoadPlan(
        is_remote=options.background and options.remote,
        url=options.url,
        rate=options.rate,
        seconds=options.seconds,
        connections=options.connections,
        fresh_share=options.fresh_share,
        timeout_seconds=options.timeout,
        test_network=options.test_network,
        headers=named,
        cookie_clients=options.cookie_clients,
        color_header=options.color_header,
        release_header=options.release_header,
    )


def _check_output(path: Path | None) -> None:
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        msg = f"output: {str(path)!r} is a folder or is in none; nothing was sent; name a file"
        raise ConfigError([msg])


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m bluegreen.load",
        description="Sends requests to a loopback address at a steady rate and tells which color "
        "answered. Prints one line of JSON; ends early, with its figures, at SIGTERM or SIGINT.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--url", required=True, help="http:// address with a loopback host")
    add("--rate", required=True, type=float, help="requests per second")
    add("--seconds", required=True, type=float, help="time over which requests are sent")
    add("--connections", type=int, default=64, help="most open connections (default: 64)")
    add("--fresh-share", type=float, default=0.1, help="share on new connections (default: 0.1)")
    add("--timeout", type=float, default=5.0, help="seconds until a request failed (default: 5)")
    add("--header", action="append", default=[], metavar="'NAME: VALUE'", help="may be repeated")
    add("--cookie-clients", type=int, default=0, help="clients that keep cookies (default: 0)")
    add("--color-header", default="X-Bluegreen-Color", help="header that names the color")
    add("--release-header", default="X-Bluegreen-Release", help="header that names the release")
    add("--output", type=Path, help="file for the recording of every request")
    add("--test-network", metavar="NETWORK", help="private network of a test cluster to send to")
    # Of use to BackgroundLoad only: a line when it starts, then the recording instead of a summary.
    add("--background", action="store_true", help=argparse.SUPPRESS)
    add("--remote", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
