"""Kubernetes clusters and an AWS account, started when the first test asks for one."""

from __future__ import annotations

import os
from contextlib import ExitStack, nullcontext, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import settings

from tests.processes import process_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engine.aws_driver import Region
    from tools.cluster.cluster import Cluster, OwnCluster
    from tools.cluster.node_cluster import NodeCluster

    Own = TypeVar("Own", bound=OwnCluster)

REPOSITORY = Path(__file__).resolve().parents[1]
EXISTING = "BLUEGREEN_TEST_KUBECONFIG"
MISSING = 2
CLUSTER_DRIVERS = ("http-route", "service")
# Minutes each, and what they show is shown in part by tests of the same parts that are shorter.
LONG = (
    "test_aws_traffic.py",
    "test_kubernetes_active_flag.py",
    "test_kubernetes_autoscaling.py",
    "test_kubernetes_follow.py",
    "test_kubernetes_replica_traffic.py",
    "test_kubernetes_run.py",
)
# Without a limit that another test's work could miss.
BESIDE_EACH_OTHER = (
    # Folders,
    "components",
    "language_host",
    "machine",
    "pages",
    "preview",
    "processes",
    "unit",
    # and files, most of them on the real engine.
    "test_aws_drift.py",
    "test_aws_failures.py",
    "test_aws_kills.py",
    "test_bad_input.py",
    "test_calls.py",
    "test_command.py",
    "test_command_platforms.py",
    "test_honesty.py",
    "test_hooks.py",
    "test_instances.py",
    "test_machine.py",
    "test_onprem.py",
    "test_onprem_drill.py",
    "test_onprem_events.py",
    "test_onprem_gates.py",
    "test_onprem_measuring.py",
    "test_onprem_recovery.py",
    "test_pipelines.py",
    "test_preview.py",
    "test_prometheus_gates.py",
    "test_readme.py",
    "test_registration.py",
    "test_scenarios.py",
    "test_security.py",
    "test_verb_machine.py",
)

# What `make test` says of a change depends on the change alone; `make soak` looks for new examples.
settings.register_profile("new examples", derandomize=False)
settings.register_profile("the same examples", derandomize=True)
settings.load_profile("the same examples")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what may run beside another test, before tests are chosen by their marks."""
    for item in items:
        if item.path.name in LONG or "tests/examples/test_kubernetes" in str(item.path):
            item.add_marker(pytest.mark.soak)
        shared = _shared_by(item)
        place = set(item.path.relative_to(REPOSITORY).parts)
        if item.get_closest_marker("alone") is None and (
            shared or place.intersection(BESIDE_EACH_OTHER)
        ):
            item.add_marker(pytest.mark.beside)
        if shared not in {None, process_of(item.nodeid)}:
            msg = f"{item.nodeid} needs {shared}, and tests/processes.py does not know that"
            raise pytest.UsageError(msg)


def _shared_by(item: pytest.Item) -> str | None:
    """What outlives a test, and is there once for each process."""
    if "tests/unit" in str(item.path):
        # A fixture of the same name there is no cluster, but the client of one.
        return None
    fixtures = set(getattr(item, "fixturenames", ()))
    parameters = getattr(item, "callspec", None)
    driver = parameters.params.get("driver") if parameters else None
    if fixtures & {"cluster", "node_cluster"} or driver in CLUSTER_DRIVERS:
        return "kubernetes"
    # The account of `tests/aws_cloud` is one for each module.
    if "region" in fixtures or driver == "aws" or "tests/providers/aws" in str(item.path):
        return "aws"
    return None


@pytest.fixture(scope="session")
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A real API server and pretended nodes; or the one that the environment names."""
    # Not at the top: most tests need none of it, and it takes a second.
    from tools.cluster.cluster import ExistingCluster  # noqa: PLC0415
    from tools.cluster.kwok_cluster import KwokCluster  # noqa: PLC0415

    if kubeconfig := os.environ.get(EXISTING):
        yield ExistingCluster(Path(kubeconfig), tmp_path_factory.mktemp("users"))
        return
    with ExitStack() as stack:
        yield started_cluster(KwokCluster, stack, request)


@pytest.fixture(scope="session")
def own_cluster(cluster: Cluster) -> OwnCluster:
    """The same where it is our own: its API server may be stopped, its pods be unready."""
    from tools.cluster.cluster import OwnCluster  # noqa: PLC0415

    if not isinstance(cluster, OwnCluster):
        pytest.skip(f"{EXISTING} is set, and this needs a cluster of our own")
    return cluster


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace on `cluster` that no other test uses."""
    with cluster.new_namespace() as name:
        yield name


@pytest.fixture(scope="session")
def node_cluster(request: pytest.FixtureRequest) -> Iterator[NodeCluster]:
    """A real API server and a real node: pods serve, behind Services; needs root."""
    from tools.cluster.node_cluster import NodeCluster  # noqa: PLC0415

    with ExitStack() as stack:
        yield started_cluster(NodeCluster, stack, request)


@pytest.fixture(scope="session")
def region() -> Iterator[Region]:
    """An AWS account that nobody else uses, and the plugin that writes there."""
    from tests.engine.aws_driver import aws_region  # noqa: PLC0415
    from tests.standins.aws.session import why_no_aws  # noqa: PLC0415

    if reason := why_no_aws():
        pytest.skip(reason)
    with aws_region() as region:
        yield region


@pytest.fixture
def node_namespace(node_cluster: NodeCluster) -> Iterator[str]:
    """A namespace on `node_cluster` that no other test uses."""
    with node_cluster.new_namespace() as name:
        yield name


def started_cluster(kind: type[Own], stack: ExitStack, request: pytest.FixtureRequest) -> Own:
    """In the first folder that no other test run is using; what a killed one left is removed."""
    from tools.cluster.errors import FolderInUseError, MissingError  # noqa: PLC0415

    _build(request)
    for number in count(1):
        folder = REPOSITORY / ".bluegreen" / f"test-{kind.kind}-cluster-{number}"
        with suppress(FolderInUseError):
            try:
                return stack.enter_context(kind(folder))
            except MissingError as error:
                pytest.skip(f"no {kind.kind} cluster: {error}")
    raise AssertionError


def _build(request: pytest.FixtureRequest) -> None:
    """With its progress shown: it may take minutes, the first time."""
    from tools.cluster.binaries import built_programs  # noqa: PLC0415
    from tools.engine.go_build import UnavailableError  # noqa: PLC0415

    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        try:
            built_programs()
        except UnavailableError as error:
            if error.status == MISSING:
                pytest.skip(f"no Kubernetes: {error}")
            raise
