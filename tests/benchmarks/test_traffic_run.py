"""A small real run of the traffic benchmark: what must come out whatever the machine does besides.

Nothing here is timed, and no amount of lost requests is expected of the others: how they compare,
`make bench` says.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.onprem_stack import OnPremStack, stack_of
from benchmarks.traffic.canary import measure_canaries, measure_cohort
from benchmarks.traffic.drain import measure_losses
from benchmarks.traffic.figures import IdleClients, Traffic
from benchmarks.traffic.measure import prepare
from benchmarks.traffic.nginx_package import NginxMissingError, find_nginx
from benchmarks.traffic.pace import QUICK, Pace
from benchmarks.traffic.proxies import (
    HaproxyNewProcess,
    HaproxySignal,
    Nginx,
    OurWrite,
    Proxy,
    find_haproxy,
)
from benchmarks.traffic.side_by_side import measure_traffic
from benchmarks.traffic.switching import measure_switching
from bluegreen.colors import Color
from bluegreen.onprem.ports import taken_by
from tests.engine.pulumi_stack import ENGINE, REPOSITORY
from tests.ports import free_port

pytestmark = [
    pytest.mark.skipif(
        not (ENGINE / "pulumi").exists() and shutil.which("pulumi") is None,
        reason="no Pulumi engine; `make setup` makes one",
    ),
    pytest.mark.skipif(
        shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") is None,
        reason="haproxy is not installed",
    ),
]

NGINX = REPOSITORY / ".bluegreen" / "bench" / "nginx"
SMALL = Pace(
    rate=200,
    updates=1,
    switches=2,
    interval_seconds=QUICK.interval_seconds,
    calm_seconds=0.5,
    drain_rounds=1,
    canary_requests=1000,
    canary_percents=(50,),
    cohort_clients=50,
    cohort_rate=100,
)


def tell(_text: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def stack() -> Iterator[OnPremStack]:
    """The service of the benchmark, with both colors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{ENGINE}:{os.environ['PATH']}")
        with stack_of(REPOSITORY / "stacks") as stack:
            prepare(stack)
            yield stack


@pytest.fixture
def place(stack, tmp_path_factory) -> Iterator[tuple[Path, int, dict[Color, list[int]]]]:
    """Where another proxy may be, and the members it has; nothing may be left there."""
    folder, port = tmp_path_factory.mktemp("p"), free_port()
    yield folder, port, {color: stack.member_ports(color) for color in Color}
    assert taken_by(port) is None


def assert_traffic_moved(seen: Traffic, proxy: Proxy) -> None:
    assert (seen.name, seen.switches) == (proxy.name, SMALL.switches)
    assert seen.requests >= SMALL.rate * SMALL.switches * SMALL.interval_seconds
    assert seen.asked_after > 0
    # Not all of what was asked after a switch: traffic did move.
    assert seen.stale < seen.asked_after


def test_updates_under_load_lose_nothing_and_answer_nothing_stale(stack):
    seen = measure_switching(stack, SMALL, tell)

    assert (seen.traffic.switches, seen.traffic.failed, seen.traffic.stale) == (1, 0, 0)
    assert seen.traffic.asked_after > 0
    assert all(0 < write.command_ms < write.durable_ms for write in seen.writes)
    assert len(seen.pair_ratios) == 1


def test_the_write_by_itself_loses_nothing_and_answers_nothing_stale(stack):
    proxy = OurWrite(stack.production_url, stack.run_directory)

    seen = measure_traffic(proxy, stack.active, SMALL)

    assert_traffic_moved(seen, proxy)
    assert (seen.failed, seen.stale) == (0, 0)
    assert seen.idle == IdleClients(new=20, old=0, closed=0, failed=0, seconds=1.0)


@pytest.mark.parametrize("careful", [False, True])
@pytest.mark.parametrize("kind", [HaproxyNewProcess, HaproxySignal])
def test_a_reload_of_haproxy_keeps_no_idle_client_and_moves_it_to_the_new_color(
    stack, place, kind, careful
):
    proxy = kind(find_haproxy(), *place, careful=careful)

    seen = measure_traffic(proxy, stack.active, SMALL)

    assert_traffic_moved(seen, proxy)
    assert seen.idle
    # What keeps clients from a closed connection keeps them on the old worker.
    kept = seen.idle.old if careful else seen.idle.closed
    assert kept == 20


def test_a_reload_of_nginx_moves_traffic(stack, place):
    try:
        binary = find_nginx(NGINX)
    except NginxMissingError as error:
        pytest.skip(str(error))
    proxy = Nginx(binary, *place)

    assert_traffic_moved(measure_traffic(proxy, stack.active, SMALL), proxy)


def test_old_members_ended_after_the_write_lose_requests_and_retired_ones_do_not(stack):
    killed, retired = measure_losses(stack, SMALL, tell)

    assert killed.failed > 0
    assert retired.failed == 0
    assert retired.requests > 100


def test_a_canary_gets_its_share_and_keeps_its_clients_over_a_restart_of_the_proxy(stack):
    (share,) = measure_canaries(stack, SMALL, tell)
    cohort = measure_cohort(stack, SMALL, share.percent, tell)

    assert (share.clients, share.failed) == (SMALL.canary_requests, 0)
    assert share.is_within_target
    assert 0 < cohort.canary < cohort.clients == SMALL.cohort_clients
    assert cohort.strayed == 0
    assert cohort.after_restart > 0
