"""A cluster that is not the one somebody thought of: without the Gateway API, or another one."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.conftest import started_cluster
from tests.engine.kwok_driver import KwokDriver, kwok_driver
from tests.engine.pulumi_stack import REPOSITORY
from tests.engine.test_kubernetes_failures import BLUE, configured, errors_of
from tests.standins.gateway.install import install
from tools.cluster.cluster import Cluster
from tools.cluster.kwok_cluster import KwokCluster

PROGRAM = REPOSITORY / "tests" / "engine" / "programs" / "other_provider"


@pytest.fixture(scope="module")
def other_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A second one, new: nobody has put anything into it."""
    with ExitStack() as stack:
        yield started_cluster(KwokCluster, stack, request)


def behind_a_gateway(driver: KwokDriver, gateway: dict[str, Any]) -> KwokDriver:
    configured(driver)
    driver.configure("service.kubernetes.router", "http_route")
    driver.configure("service.kubernetes.gateway", gateway)
    driver.configure("service.follow.timeout_seconds", 2)
    return driver


def test_a_cluster_without_the_gateway_api_is_told_so_and_gets_no_router(other_cluster: Cluster):
    with kwok_driver(other_cluster) as driver:
        behind_a_gateway(driver, {"name": "edge"})

        preview, refused = driver.preview(), driver.up()

    missing = "the cluster does not serve /apis/gateway.networking.k8s.io/v1/"
    assert missing in preview.text
    assert not refused.ok
    assert "Traceback" not in refused.text
    assert any(missing in error for error in errors_of(refused)), refused
    assert "production traffic has not been moved" in refused.text
    assert {"router", "flag"}.isdisjoint(refused.done)


def test_a_gateway_that_is_not_there_holds_up_the_flag(other_cluster: Cluster):
    install(other_cluster.kubeconfig)
    with kwok_driver(other_cluster) as driver:
        behind_a_gateway(driver, {"name": "nobody"})

        refused = driver.up()

    assert not refused.ok
    assert "Traceback" not in refused.text
    (error,) = errors_of(refused)
    assert "no gateway has looked at HTTPRoute shop yet" in error
    assert "flag" not in refused.done


@pytest.fixture
def elsewhere(cluster: Cluster) -> Iterator[KwokDriver]:
    """Blue is live and green idle on `cluster`, by a provider of the program's own."""
    with kwok_driver(cluster, main=PROGRAM) as driver:
        configured(driver)
        for who in ("provider", "gates"):
            driver.stack.configure_in("clusters", who, str(cluster.kubeconfig))
        result = driver.up()
        assert result.ok, result
        yield driver


def test_gates_that_are_given_another_cluster_than_the_provider_move_nothing(
    elsewhere: KwokDriver, other_cluster: Cluster
):
    elsewhere.stack.configure_in("clusters", "gates", str(other_cluster.kubeconfig))
    elsewhere.configure("active_color", "green")

    refused = elsewhere.up()

    assert not refused.ok
    assert "Traceback" not in refused.text
    assert {"router", "flag"}.isdisjoint(refused.done)
    assert elsewhere.live() == BLUE
