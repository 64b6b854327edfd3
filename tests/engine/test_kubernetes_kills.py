"""A kill -9 of `pulumi up` at its moments on Kubernetes; see `test_kills` for the idea.

The points of the provider are those of the stand-in: where the official one runs there are none.
"""

import contextlib
import shutil
from collections.abc import Iterator

import pytest

from tests.engine.kill_cases import (
    Stages,
    assert_every_point_is_passed,
    assert_nobody_is_harmed_and_the_next_finishes,
    assert_nothing_is_left_to_do,
    assert_the_way_out_is_named_and_works,
    in_soak,
    killed,
)
from tests.engine.kill_matrix import Kill
from tests.engine.kubernetes_driver import PLUGIN, service_driver
from tests.engine.kubernetes_kill_stage import CONDITIONS, KubernetesStage
from tools.cluster.node_cluster import NodeCluster

pytestmark = [
    pytest.mark.skipif(
        shutil.which(PLUGIN) is not None,
        reason="the official provider has no points to be killed at",
    ),
    # Beside other tests one request was reset: kube-proxy may be later than a member waits to end.
    pytest.mark.alone,
]

IN_EVERY_RUN = (
    Kill("update shop-new-members: is done, not answered"),
    Kill("update shop-route: is done, not answered"),
    Kill("update shop-flag: is done, not answered", with_process=False),
)
"""One update that deploys, switches and retires."""

MORE = (
    Kill("hook shop-router-gate: before"),
    Kill("hook shop-old-guard: before", with_process=False),
    Kill("hook shop-router-follow: before"),
    Kill("update shop-new-members: is pending"),
    Kill("hook shop-new-ready: before", with_process=False),
    Kill("update shop-route: is pending", with_process=False),
    Kill("apply configmaps: after"),
    Kill("update shop-test: is pending"),
    Kill("update shop-old-members: is done, not answered"),
    Kill("preview: hook shop-router-gate: before"),
    Kill("hook shop-new-guard: after"),
    Kill("update shop-new-members: is pending", with_process=False),
    Kill("hook shop-new-ready: after"),
    Kill("hook shop-router-guard: after"),
    Kill("hook shop-router-gate: after"),
    Kill("update shop-route: is pending"),
    Kill("update shop-route: is done, not answered", with_process=False),
    Kill("hook shop-router-follow: after"),
    Kill("hook shop-flag-follow: before"),
    Kill("apply configmaps: before"),
    Kill("hook shop-flag-write: after"),
    Kill("update shop-flag: is pending"),
    Kill("journal switch: before"),
    Kill("journal switch: after"),
    Kill("update shop-test: is done, not answered", with_process=False),
    Kill("update shop-old-budget: is done, not answered"),
    Kill("update shop-old-members: is pending"),
)

FIRST = (
    Kill("create shop-new: is done, not answered"),
    Kill("create shop-new-members: is done, not answered"),
    Kill("create shop-route: is pending", with_process=False),
    Kill("create shop-route: is done, not answered"),
    Kill("create shop-flag: is done, not answered"),
)
"""The first update of a stack."""


@contextlib.contextmanager
def kubernetes_stage(cluster: NodeCluster) -> Iterator[KubernetesStage]:
    """Nothing is deployed."""
    with service_driver(cluster) as driver:
        yield KubernetesStage(driver)


@pytest.fixture(scope="module")
def stages(node_cluster: NodeCluster) -> Iterator[Stages[KubernetesStage]]:
    stages = Stages(lambda: kubernetes_stage(node_cluster))
    yield stages
    stages.close()


@pytest.fixture
def stage(stages: Stages[KubernetesStage]) -> KubernetesStage:
    """Both colors: one live with a release of its own, the other one retired."""
    return stages.ready()


def test_an_update_passes_every_point_that_it_is_killed_at(stage: KubernetesStage):
    assert_every_point_is_passed(stage, (*IN_EVERY_RUN, *MORE))
    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak((*IN_EVERY_RUN, *MORE), IN_EVERY_RUN))
def test_a_killed_update_harms_no_request_and_is_finished_by_the_next(
    stage: KubernetesStage, kill: Kill
):
    stage.turn()

    assert_nobody_is_harmed_and_the_next_finishes(stage, kill, conditions=CONDITIONS)

    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak(FIRST))
def test_a_killed_first_update_is_finished_by_the_next(node_cluster: NodeCluster, kill: Kill):
    with kubernetes_stage(node_cluster) as stage:
        update = killed(stage, kill)
        assert_the_way_out_is_named_and_works(stage, update)

        assert_nothing_is_left_to_do(stage)
