import shutil
from collections.abc import Iterator

import pytest

from tests.engine.aws_driver import AwsDriver, Region, aws_driver
from tests.engine.driver import Driver
from tests.engine.kubernetes_driver import http_route_driver, service_driver
from tests.engine.onprem_driver import OnPremDriver, onprem_driver
from tests.engine.preview_recorder import record_previews
from tests.engine.pulumi_stack import ENGINE
from tests.standins.haproxy_process import haproxy_binary

PLATFORMS = {
    "aws": lambda request: aws_driver(request.getfixturevalue("region")),
    "http-route": lambda request: http_route_driver(request.getfixturevalue("node_cluster")),
    "service": lambda request: service_driver(request.getfixturevalue("node_cluster")),
    "onprem": lambda request: onprem_driver(),
}


# What another router of the same platform could do differently; `make soak` runs all of them.
OF_THE_ROUTER = (
    "switch_updates_the_router",
    "canary_gets_its_share",
    "drift_is_seen",
)
# What AWS could do differently; its scenarios take half a minute each, and kills, drift and what is
# moved by somebody else have tests of their own.
OF_AWS = (
    "first_color_serves",
    "switch_updates_the_router",
    "refusing_gate",
    "canary_gets_its_share",
)
# What Kubernetes could do differently: permissions and retention are judged by the same code.
OF_SERVICE = (
    *OF_AWS,
    "without_a_change",
    "live_color_is_protected",
    "deploy_to_the_idle",
    "comes_before_the_shrink",
    "drift_is_seen",
    "somebody_else_moved",
)
CHOSEN = {"http-route": OF_THE_ROUTER, "service": OF_SERVICE, "aws": OF_AWS}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is missing is named once, at the tests that need it."""
    reasons = []
    if not (ENGINE / "pulumi").exists() and shutil.which("pulumi") is None:
        reasons.append("no Pulumi engine; `make setup` makes one")
    if haproxy_binary() is None:
        reasons.append("haproxy is not installed")
    for item in items:
        parameters = getattr(item, "callspec", None)
        chosen = CHOSEN.get(parameters.params.get("driver", "")) if parameters else None
        if chosen is not None and not any(each in item.name for each in chosen):
            item.add_marker(pytest.mark.soak)
        if "tests/engine" in str(item.path):
            for reason in reasons:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(params=sorted(PLATFORMS))
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """A service that exists only in the config: blue 1.0, no green."""
    with PLATFORMS[request.param](request) as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 2})
        record_previews(driver, request)
        yield driver


@pytest.fixture
def both(driver: Driver) -> Driver:
    """Blue 1.0 is live, green 1.1 is deployed and idle."""
    driver.configure("green", {"release": "1.1", "replicas": 2})
    driver.arrange()
    return driver


@pytest.fixture
def onprem() -> Iterator[OnPremDriver]:
    """The same on-premises, for what only that platform has."""
    with onprem_driver() as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        yield driver


@pytest.fixture
def aws(region: Region) -> Iterator[AwsDriver]:
    """The same on AWS, for what only that platform has."""
    with aws_driver(region) as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        yield driver
