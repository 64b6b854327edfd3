"""The same load through every proxy, while the same members change places behind it."""

import contextlib
import http.client
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.onprem_stack import OnPremStack
from benchmarks.traffic.counting import traffic_of
from benchmarks.traffic.figures import IdleClients, Move, Traffic
from benchmarks.traffic.nginx_package import NginxMissingError, find_nginx
from benchmarks.traffic.pace import Pace
from benchmarks.traffic.proxies import (
    HaproxyNewProcess,
    HaproxySignal,
    Nginx,
    OurWrite,
    Proxy,
    find_haproxy,
)
from benchmarks.traffic.waiting import until_answered_by
from bluegreen.colors import Color
from bluegreen.load import BackgroundLoad, LoadPlan
from tests.ports import free_port

__all__ = ["measure_side_by_side", "measure_traffic"]

_IDLE_CLIENTS = 20
_IDLE_SECONDS = 1.0
_ANSWER_SECONDS = 5.0
_MARGIN_SECONDS = 60.0


def measure_side_by_side(
    stack: OnPremStack, pace: Pace, cache: Path, tell: Callable[[str], None]
) -> tuple[list[Traffic], list[str]]:
    """Every way to switch before the members of a running stack; and what was left out, and why."""
    found, skipped = [], []
    # Short, because sockets have long names.
    with tempfile.TemporaryDirectory(prefix="bgt-") as directory:
        for make in _ways(stack, Path(directory), cache):
            try:
                proxy = make()
            except NginxMissingError as error:
                skipped.append(f"nginx: {error}")
                tell(f"skipped: {skipped[-1]}")
                continue
            tell(f"{proxy.name}: {pace.switches} switches")
            found.append(measure_traffic(proxy, stack.active, pace))
    return found, skipped


def measure_traffic(proxy: Proxy, first: Color, pace: Pace) -> Traffic:
    """Starts a proxy, switches under load, asks idle clients, and ends the proxy."""
    try:
        proxy.start(first)
        until_answered_by(proxy.url, first)
        seconds = pace.calm_seconds + pace.switches * pace.interval_seconds + _MARGIN_SECONDS
        with BackgroundLoad(LoadPlan(url=proxy.url, rate=pace.rate, seconds=seconds)) as load:
            calm_start = time.monotonic()
            time.sleep(pace.calm_seconds)
            calm = calm_start, time.monotonic()
            moves = list(_moves(proxy, first, pace))
            recording = load.stop()
        idle = _ask_idle_clients(proxy, first)
        return traffic_of(proxy.name, recording, moves, calm, idle)
    finally:
        proxy.stop()


def _ways(stack: OnPremStack, directory: Path, cache: Path) -> Iterator[Callable[[], Proxy]]:
    members = {color: stack.member_ports(color) for color in Color}

    def place(name: str) -> tuple[Path, int]:
        folder = directory / name
        folder.mkdir()
        return folder, free_port()

    yield lambda: OurWrite(stack.production_url, stack.run_directory)
    for kind in (HaproxyNewProcess, HaproxySignal):
        for careful in (False, True):
            where = place(f"{kind.__name__}-{careful}")
            yield lambda kind=kind, where=where, careful=careful: kind(  # type: ignore[misc]
                find_haproxy(), *where, members, careful=careful
            )
    yield lambda: Nginx(find_nginx(cache), *place("nginx"), members)


def _moves(proxy: Proxy, first: Color, pace: Pace) -> Iterator[Move]:
    color = first
    for _ in range(pace.switches):
        started = time.monotonic()
        proxy.switch(color.other)
        returned = time.monotonic()
        yield Move(str(color), str(color.other), started, returned, moved=started)
        color = color.other
        time.sleep(max(0.0, started + pace.interval_seconds - returned))


def _ask_idle_clients(proxy: Proxy, old: Color) -> IdleClients:
    """Keep-alive clients that were silent while traffic moved: who answers them then?"""
    until_answered_by(proxy.url, old)
    address = proxy.url.removeprefix("http://")
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(
                contextlib.closing(http.client.HTTPConnection(address, timeout=_ANSWER_SECONDS))
            )
            for _ in range(_IDLE_CLIENTS)
        ]
        for client in clients:
            _ask(client)
        proxy.switch(old.other)
        until_answered_by(proxy.url, old.other)
        time.sleep(_IDLE_SECONDS)
        seen = Counter(_ask(client) for client in clients)
    return IdleClients(
        new=seen[str(old.other)],
        old=seen[str(old)],
        closed=seen["closed"],
        failed=_IDLE_CLIENTS - seen[str(old.other)] - seen[str(old)] - seen["closed"],
        seconds=_IDLE_SECONDS,
    )


def _ask(client: http.client.HTTPConnection) -> str:
    """The color that answers, or what happens instead."""
    if client.sock is not None and _is_closed(client.sock):
        return "closed"
    try:
        client.request("GET", "/")
        answer = client.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return "failed"
    return answer.headers.get("X-Bluegreen-Color", "failed")


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(_ANSWER_SECONDS)
