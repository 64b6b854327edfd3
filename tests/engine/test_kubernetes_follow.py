"""Who says that traffic follows on Kubernetes, and what stays on the color that was left."""

import contextlib
import http.client
import os
import signal
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from bluegreen.kubernetes.names import SERVICE_LABEL
from tests.engine.kubernetes_driver import KubernetesDriver, service_driver
from tests.engine.pulumi_stack import UP_SECONDS
from tools.cluster.node_cluster import PROXY, NodeCluster
from tools.cluster.processes import wait_until

JOB = "service.kubernetes.follow_job"
ADDRESS = "service.kubernetes.production_url"
CURL = {"image": "local/curl:1"}
PATIENCE_SECONDS = 60.0
NOT_DONE = "the router has been written, the active flag has not"


class Shop:
    """Two colors of one service, and whatever a test does to it in turn."""

    def __init__(self, driver: KubernetesDriver) -> None:
        self.driver = driver

    def switch(self, **environment: str) -> Any:
        other = "green" if self.driver.outputs()["active_color"] == "blue" else "blue"
        self.driver.configure("active_color", other)
        return self.driver.up(**environment)

    def finish(self) -> None:
        """With the address that can be asked from here, the next update comes to its end."""
        self.driver.configure(JOB, None)
        self.driver.configure(ADDRESS, self.driver.production_url)
        result = self.driver.up()
        assert result.ok, result

    def jobs(self) -> list[dict[str, Any]]:
        names = self.driver.names
        return self.driver.api.items(
            names.group("batch/v1", "jobs"), labelSelector=f"{SERVICE_LABEL}={names.service}"
        )

    def jobs_made(self) -> int:
        """How many Jobs there ever were, as the cluster's own Events say."""
        events = self.driver.api.items(
            self.driver.names.core("events"), fieldSelector="involvedObject.kind=Job"
        )
        return len({each["involvedObject"]["uid"] for each in events})


@pytest.fixture(scope="module")
def deployed(node_cluster: NodeCluster) -> Iterator[Shop]:
    with service_driver(node_cluster) as driver:
        driver.configure("active_color", "blue")
        for color, release in (("blue", "1.0"), ("green", "1.1")):
            driver.configure(color, {"release": release, "replicas": 2})
        driver.configure("service.follow.timeout_seconds", 20)
        result = driver.up()
        assert result.ok, result
        yield Shop(driver)


@pytest.fixture
def shop(deployed: Shop) -> Iterator[Shop]:
    """The same service for all of these tests: each leaves it without a change to make."""
    yield deployed
    deployed.finish()


@pytest.fixture
def asked_by_a_job(shop: Shop) -> Shop:
    """Nobody outside of the cluster reaches production."""
    shop.driver.configure(ADDRESS, None)
    shop.driver.configure(JOB, CURL)
    return shop


@contextlib.contextmanager
def frozen(node: NodeCluster, name: str) -> Iterator[None]:
    process = node.control_plane.processes.running()[name]
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_job_in_the_cluster_says_that_traffic_follows(asked_by_a_job: Shop):
    made = asked_by_a_job.jobs_made()

    result = asked_by_a_job.switch()

    assert result.ok, result
    assert "traffic follows: passed: production answers from green" in result.text
    assert asked_by_a_job.jobs_made() > made
    assert asked_by_a_job.jobs() == []


def test_a_job_counts_the_answers_of_the_wrong_color(
    asked_by_a_job: Shop, node_cluster: NodeCluster
):
    before = asked_by_a_job.driver.outputs()["active_color"]

    with frozen(node_cluster, PROXY):
        result = asked_by_a_job.switch()

    assert result.exit_code != 0
    assert f"traffic does not follow: production answers from {before}" in result.text
    assert "(0 in a row, needed 5 in a row from " in result.text
    assert NOT_DONE in result.text
    assert "Traceback" not in result.text
    assert asked_by_a_job.jobs() == []
    # The same question again, now that kube-proxy goes on.
    again = asked_by_a_job.driver.up()
    assert again.ok, again
    assert again.done == ["flag"]


def test_without_anybody_to_ask_it_is_said_that_nobody_was_asked(
    shop: Shop, node_cluster: NodeCluster
):
    shop.driver.configure(ADDRESS, None)

    with frozen(node_cluster, PROXY):
        result = shop.switch()
        stale = shop.driver.ask("production", 3)

    # What EndpointSlices cannot show: nobody follows them here, and the update says yes.
    assert result.ok, result
    assert "of Service shop list 2" in result.text
    assert (
        "the application was not asked, because production cannot be reached from here"
    ) in result.text
    assert result.text.count("for 2.0 of 2 s") >= 1
    live = shop.driver.outputs()["active_color"]
    assert all(not told.startswith(live) for told in stale)


@pytest.mark.parametrize(
    ("job", "follow", "path", "said"),
    [
        (
            {"image": "local/none:1"},
            20,
            "/version",
            " s: its pod is Pending: ErrImageNeverPull: Container image "
            '"local/none:1" is not present with pull policy of Never',
        ),
        (CURL, 15, "/slow?ms=4000", " s: its pod is Running"),
    ],
    ids=["image missing", "too slow"],
)
def test_a_job_that_cannot_tell_stops_the_update_and_says_why(
    asked_by_a_job: Shop, job: dict[str, str], follow: int, path: str, said: str
):
    driver = asked_by_a_job.driver
    driver.configure(JOB, job)
    driver.configure("service.follow.timeout_seconds", follow)
    driver.configure("service.color_from.path", path)

    result = asked_by_a_job.switch()

    driver.configure("service.follow.timeout_seconds", 20)
    driver.configure("service.color_from.path", "/")
    assert result.exit_code != 0
    assert "shop: traffic does not follow: the Job that asks http://shop." in result.text
    assert "did not end within " in result.text
    assert said in result.text
    assert "(0 in a row, needed 5 in a row from " in result.text
    assert NOT_DONE in result.text
    assert "Traceback" not in result.text
    assert asked_by_a_job.jobs() == []


@contextlib.contextmanager
def clients(url: str, count: int) -> Iterator[list[http.client.HTTPConnection]]:
    """Connections that stay open after their first answer."""
    opened = [http.client.HTTPConnection(urlsplit(url).netloc, timeout=10) for _ in range(count)]
    try:
        for each in opened:
            each.request("GET", "/")
            each.getresponse().read()
        yield opened
    finally:
        for each in opened:
            each.close()


COUNTED = {"metric": "shop_open_connections"}


def test_an_update_says_how_many_connections_stay_where_they_were(shop: Shop):
    shop.driver.configure("service.kubernetes.connections", COUNTED)
    left = shop.driver.outputs()["active_color"]

    with clients(shop.driver.production_url, 7):
        result = shop.switch()

    assert result.ok, result
    assert (
        f"shop: 7 connections that clients keep open stay on {left} until its members end"
    ) in result.text


def test_a_retire_waits_for_the_connections_and_says_how_many_are_left(shop: Shop):
    driver = shop.driver
    driver.configure("service.kubernetes.connections", COUNTED)
    left = driver.outputs()["active_color"]
    release = driver.outputs()["releases"][left]
    with clients(driver.production_url, 3):
        assert shop.switch().ok
        driver.configure("service.drain.timeout_seconds", 3)
        driver.configure("retired", {"color": left, "release": release})

        retired = driver.up()

        assert retired.ok, retired
        assert f"{left} still works on 3 requests after 3 seconds" in retired.text
    driver.configure("retired", None)
    assert driver.up().ok

    # Longer than any command may take here: who waited for it would not come to an end.
    driver.configure("service.drain.timeout_seconds", 2 * UP_SECONDS)
    driver.configure("retired", {"color": left, "release": release})
    nobody = driver.up()

    assert nobody.ok, nobody
    assert "still works" not in nobody.text
    driver.configure("retired", None)
    driver.configure("service.drain.timeout_seconds", 2)
    assert driver.up().ok


def test_connections_that_cannot_be_counted_are_not_called_none(shop: Shop):
    driver = shop.driver
    driver.configure("service.kubernetes.connections", {"metric": "shop_clients"})
    left = driver.outputs()["active_color"]

    result = shop.switch()

    assert result.ok, result
    assert f"connections that clients keep open stay on {left}; not counted: pod shop-{left}-" in (
        result.text
    )
    assert "has no metric shop_clients" in result.text

    driver.configure("retired", {"color": left, "release": driver.outputs()["releases"][left]})
    refused = driver.up()

    assert refused.exit_code != 0
    assert f"cannot tell what {left} still works on: pod shop-{left}-" in refused.text
    assert "its members were not changed" in refused.text
    driver.configure("retired", None)
    driver.configure("service.kubernetes.connections", None)
    wait_until(lambda: driver.up().ok, PATIENCE_SECONDS)
