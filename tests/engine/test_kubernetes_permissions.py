"""With exactly the permissions of the documentation all steps work; without one, some step says so.

Which step that is stands in a table here: a permission that is in none of them is one too many.
"""

from collections.abc import Iterator

import pytest

from tests.engine.kubernetes_permissions import Permission, needed, rules_of
from tests.engine.kwok_driver import KwokDriver, kwok_driver
from tests.engine.pulumi_stack import Result
from tests.engine.test_kubernetes_bad_input import said_by
from tools.cluster.cluster import Cluster

USER = "deployer"

# A user with admin rights in the background has deployed blue and green; this is what is done
# without the permission then.
FIRST = (
    "create services",
    "create configmaps",
    "create deployments",
    "create poddisruptionbudgets",
)
SWITCH = (
    "get services",
    "patch services",
    "get configmaps",
    "patch configmaps",
    "get deployments",
    "list pods",
    "list endpointslices",
    "get services/proxy",
)
DEPLOY = ("patch deployments",)
RETIRE = ("get poddisruptionbudgets", "patch poddisruptionbudgets")
DESTROY = (
    "delete services",
    "delete configmaps",
    "delete deployments",
    "delete poddisruptionbudgets",
)
WARNED = "create events"
AFTER_THE_WRITE = {"get configmaps", "patch configmaps"}
"""The active flag: traffic has moved when it is written, and the state says so."""

IN_EVERY_RUN = {"create deployments", "patch services", "patch configmaps"}


def each(names: tuple[str, ...]):
    return [
        pytest.param(name, marks=[] if name in IN_EVERY_RUN else pytest.mark.soak) for name in names
    ]


class Restricted:
    """A service, and a user who may do in its namespace what the test says."""

    def __init__(self, driver: KwokDriver, cluster: Cluster) -> None:
        self.driver = driver
        self._cluster = cluster
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        driver.configure("green", {"release": "1.1", "replicas": 1})
        self.config = driver.stack.config_file.read_text()

    def only(self, permissions: tuple[Permission, ...]) -> dict[str, str]:
        """The environment of a user who may do this and nothing else."""
        kubeconfig = self._cluster.kubeconfig_for(
            USER, rules_of(permissions), namespace=self.driver.names.namespace
        )
        return {"KUBECONFIG": str(kubeconfig)}

    def without(self, name: str) -> dict[str, str]:
        return self.only(tuple(each for each in needed() if str(each) != name))

    def put_back(self) -> None:
        self.driver.stack.config_file.write_text(self.config)
        self.driver.arrange(refresh=True)


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Restricted]:
    with kwok_driver(cluster) as driver:
        restricted = Restricted(driver, cluster)
        driver.arrange()
        yield restricted


@pytest.fixture
def deployed(shared: Restricted) -> Iterator[Restricted]:
    """Blue 1.0 is live, green 1.1 is idle."""
    yield shared
    shared.put_back()


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Restricted]:
    """Nothing is deployed."""
    with kwok_driver(cluster) as driver:
        yield Restricted(driver, cluster)


def assert_it_names(name: str, result: Result) -> None:
    verb, resource = name.split()
    resource, _, part = resource.partition("/")
    assert not result.ok
    assert "Traceback" not in result.text
    lines = [line for line in said_by(result).splitlines() if "is forbidden" in line]
    assert lines, result
    whole = f"{resource}/{part}" if part else resource
    assert any(f'cannot {verb} resource "{whole}"' in line for line in lines), lines


def test_every_permission_is_needed_by_a_step():
    named = {*FIRST, *SWITCH, *DEPLOY, *RETIRE, *DESTROY, WARNED}

    assert {str(permission) for permission in needed()} == named


def test_with_the_permissions_of_the_documentation_every_step_works(empty: Restricted):
    driver = empty.driver
    environment = empty.only(needed())

    results = [driver.up(**environment)]
    for key, value, more in (
        ("green.release", "1.2", {}),
        ("active_color", "green", {}),
        ("active_color", "blue", {"BLUEGREEN_ROLLBACK": "blue:why"}),
        ("retired", {"color": "green", "release": "1.2"}, {}),
    ):
        driver.configure(key, value)
        results.append(driver.up(**environment, **more))
    results.append(driver.preview(refresh=True, **environment))
    results.append(driver.stack.run("destroy", "--yes", **environment))

    assert [result for result in results if not result.ok] == []
    assert "forbidden" not in "".join(result.text for result in results)


@pytest.mark.parametrize("name", each(FIRST))
def test_a_first_deployment_without_a_permission_is_refused(empty: Restricted, name: str):
    result = empty.driver.up(**empty.without(name))

    assert_it_names(name, result)
    # The router comes after all but the flag; nobody has been sent anywhere before.
    assert (empty.driver.live() is None) == (name != "create configmaps")
    assert empty.driver.up(**empty.only(needed())).ok


@pytest.mark.parametrize("name", each(SWITCH))
def test_a_switch_without_a_permission_is_refused(deployed: Restricted, name: str):
    driver = deployed.driver
    driver.configure("active_color", "green")
    if "proxy" in name:
        # Refused by the API server, before anybody is sent to a member that is none.
        driver.configure("service.kubernetes.color_url", None)

    result = driver.up(**deployed.without(name))

    assert_it_names(name, result)
    live, outputs = driver.live(), driver.outputs()
    color = "green" if name in AFTER_THE_WRITE else "blue"
    assert str(live) == f"100 % {color}"
    assert outputs["active_color"] == color
    driver.configure("service.kubernetes.color_url", f"{driver.production_url}/{{color}}")
    assert driver.up(**deployed.only(needed())).ok
    assert str(driver.live()) == "100 % green"


@pytest.mark.parametrize("name", each(DEPLOY))
def test_a_deployment_without_a_permission_is_refused(deployed: Restricted, name: str):
    deployed.driver.configure("green.release", "1.2")

    result = deployed.driver.up(**deployed.without(name))

    assert_it_names(name, result)
    assert deployed.driver.outputs()["releases"] == {"blue": "1.0", "green": "1.1"}


@pytest.mark.parametrize("name", each(RETIRE))
def test_a_retirement_without_a_permission_is_refused(deployed: Restricted, name: str):
    deployed.driver.configure("retired", {"color": "green", "release": "1.1"})

    result = deployed.driver.up(**deployed.without(name))

    assert_it_names(name, result)
    assert str(deployed.driver.live()) == "100 % blue"


@pytest.mark.parametrize("name", each(DESTROY))
def test_an_end_without_a_permission_is_refused(empty: Restricted, name: str):
    driver = empty.driver
    assert driver.up().ok

    result = driver.stack.run("destroy", "--yes", **empty.without(name))

    assert_it_names(name, result)
    assert driver.stack.run("destroy", "--yes", **empty.only(needed())).ok


@pytest.mark.soak
def test_a_switch_whose_entry_may_not_be_written_goes_on_with_a_warning(deployed: Restricted):
    deployed.driver.configure("active_color", "green")

    result = deployed.driver.up(**deployed.without(WARNED))

    assert result.ok, result
    assert str(deployed.driver.live()) == "100 % green"
    assert 'cannot create resource "events"' in result.text
