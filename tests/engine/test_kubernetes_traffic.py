"""What clients notice of switches and retirements on a real node: 500 requests a second.

Half of them are fresh connections, for each of which kube-proxy decides anew; half are kept ones,
which it leaves where they are.
"""

import math
import statistics
import time
from collections.abc import Iterator

import pytest

from bluegreen.load import Switch
from tests.engine.kubernetes_driver import KubernetesDriver, service_driver
from tests.engine.kubernetes_load import traffic_on, watched_writes
from tools.cluster.node_cluster import NodeCluster

pytestmark = pytest.mark.alone
SWITCHES, RETIREMENTS = 10, 5
OTHER = {"blue": "green", "green": "blue"}
# A program that ends its connections well, and ends sooner than kube-proxy has heard of it.
QUICK_END = {"APP_DRAIN_SECONDS": "0.3"}


@pytest.fixture
def both(node_cluster: NodeCluster) -> Iterator[KubernetesDriver]:
    """Blue 1.0 is live with three members, green 1.1 idle with as many; none waits to end."""
    with service_driver(node_cluster) as driver:
        driver.configure("service.kubernetes.pre_stop_seconds", 0)
        driver.configure("active_color", "blue")
        for color, release in (("blue", "1.0"), ("green", "1.1")):
            driver.configure(color, {"release": release, "replicas": 3, "env": QUICK_END})
        driver.arrange()
        yield driver


def test_switches_lose_no_request_and_leave_no_fresh_one_behind(both: KubernetesDriver):
    switches, moments, active = [], [], "blue"
    with watched_writes(both) as writes, traffic_on(both) as traffic:
        for _ in range(SWITCHES):
            before, active = active, OTHER[active]
            both.configure("active_color", active)
            started = time.monotonic()
            result = both.up()
            switches.append(Switch(before, active, started, time.monotonic()))
            moments.append(writes.of(active))
            assert result.ok, result

    print(traffic)
    spans = list(zip(switches, moments, [*moments[1:], math.inf], strict=True))
    followed = [traffic.followed_seconds(*span) for span in spans]
    print(f"production followed the write within {[round(each, 3) for each in followed]} s")
    assert traffic.failed == 0, str(traffic)
    assert traffic.stale(switches) == 0
    assert traffic.requests > 10_000
    assert statistics.median(followed) <= 0.1
    # The control: kept connections are where kube-proxy left them. One that a busy moment opened
    # later is at the color of its own beginning.
    assert traffic.kept is not None
    stayed = [
        each
        for switch, written, end in spans
        for each in traffic.kept
        if each.color == switch.from_color and written + 0.5 < (each.sent or 0) < end
    ]
    assert len(stayed) > 100


@pytest.mark.soak
def test_the_old_color_can_be_retired_in_the_update_that_switches(both: KubernetesDriver):
    active = "blue"
    with traffic_on(both) as traffic:
        for _ in range(RETIREMENTS):
            before, active = active, OTHER[active]
            release = "1.0" if before == "blue" else "1.1"
            both.configure("retired", {"color": before, "release": release})
            both.configure("active_color", active)
            result = both.up()
            assert result.ok, result
            # Brought back for the next one.
            both.configure("retired", None)
            result = both.up()
            assert result.ok, result

    print(traffic)
    assert traffic.failed == 0, str(traffic)
    assert traffic.requests > 10_000
    # The kept connections were moved by the graceful end of the old color's members.
    assert traffic.kept is not None
    assert {"blue", "green"} <= set(traffic.kept.by_color())


def test_a_shrink_before_the_switch_does_lose_requests(both: KubernetesDriver):
    """The same members and the same two writes, without the order that an update keeps."""
    selector = {"spec": {"selector": {"app": "shop", "color": "green"}}}
    with traffic_on(both) as traffic:
        time.sleep(2)
        both.end_members("blue")
        time.sleep(0.5)
        both.patch("services", selector)
        time.sleep(5)

    print(traffic)
    assert traffic.failed > 0, str(traffic)
