"""The command line: `python -m tests.standins.gateway --kubeconfig … --port … --folder …`."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from bluegreen.errors import DataPlaneError
from tests.standins.gateway.api import ApiServer
from tests.standins.gateway.controller import Controller
from tests.standins.gateway.objects import GATEWAY_CLASS
from tests.standins.gateway.proxy import Proxy
from tests.standins.haproxy_process import haproxy_binary

_LOOK_SECONDS = 0.2


def main() -> int:
    """Serves until SIGTERM, SIGINT or, if asked for, the end of standard input."""
    options = _parser().parse_args()
    binary = haproxy_binary()
    if binary is None:
        sys.stderr.write("there is no haproxy on this machine; nothing was started\n")
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    proxy = Proxy(binary, options.port, options.folder)
    controller = Controller(
        ApiServer(options.kubeconfig),
        proxy,
        options.namespace,
        options.lag_seconds,
        dict(options.map),
    )
    try:
        # Before any thread: the proxy ends with the thread that has started it.
        proxy.start()
        if options.until_stdin_ends:
            threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()
        controller.start()
        return _wait(stop, controller, proxy)
    except DataPlaneError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        proxy.stop()


def _wait(stop: threading.Event, controller: Controller, proxy: Proxy) -> int:
    while not stop.wait(_LOOK_SECONDS):
        if controller.failed.is_set() or not proxy.is_running:
            sys.stderr.write("the proxy or what tells it has ended; nothing is served\n")
            return 1
    return 0


def _wait_for_end(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()


def _mapped(text: str) -> tuple[str, str]:
    address, separator, place = text.partition("=")
    if not (address and separator and place.rpartition(":")[2].isdigit()):
        msg = f"{text!r} is not of the form ADDRESS=HOST:PORT"
        raise argparse.ArgumentTypeError(msg)
    return address, place


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.standins.gateway",
        description=f"Serves the HTTPRoutes of Gateways of the class {GATEWAY_CLASS} with HAProxy, "
        "all on one port of 127.0.0.1. Prints a line of JSON for each change of the proxy.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--kubeconfig", required=True, type=Path, help="file with the cluster and the credentials")
    add("--port", required=True, type=int, help="port of 127.0.0.1 for every listener")
    add("--folder", required=True, type=Path, help="a folder of its own; its path must be short")
    add("--namespace", help="follow the objects of this namespace only (default: all)")
    add("--lag-seconds", type=float, default=0.0, help="changes reach the proxy so much later")
    add(
        "--map",
        action="append",
        default=[],
        type=_mapped,
        metavar="ADDRESS=HOST:PORT",
        help="where the endpoint of this address really is; may be repeated",
    )
    add("--until-stdin-ends", action="store_true", help="stop when standard input ends")
    return parser


if __name__ == "__main__":
    # Threads that wait for the API server do not keep the process.
    status = main()
    sys.stdout.flush()
    os._exit(status)
