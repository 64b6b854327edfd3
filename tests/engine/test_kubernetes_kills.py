"""A kill -9 of `pulumi up` at its moments on Kubernetes; see `test_kills` for the idea.

The points of the provider are those of the stand-in: where the official one runs there are none.
"""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from tests.engine.kill_matrix import Kill
from tests.engine.kill_stage import KilledUpdate
from tests.engine.kubernetes_driver import PLUGIN, KubernetesDriver, service_driver
from tests.engine.kubernetes_kill_stage import KubernetesStage, answers_of_unready
from tools.cluster.node_cluster import NodeCluster

pytestmark = pytest.mark.skipif(
    shutil.which(PLUGIN) is not None, reason="the official provider has no points to be killed at"
)

IN_EVERY_RUN = (
    Kill("update shop-new-members: is done, not answered"),
    Kill("hook shop-router-gate: before"),
    Kill("update shop-route: is done, not answered"),
    Kill("hook shop-router-follow: before"),
    Kill("update shop-flag: is done, not answered", with_process=False),
    Kill("hook shop-old-guard: before", with_process=False),
)
"""One update that deploys, switches and retires."""

MORE = (
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


def soak(kills: tuple[Kill, ...]):
    return [pytest.param(kill, marks=pytest.mark.soak) for kill in kills]


class Stages:
    """The stage that the cases share; another one after a case that failed."""

    def __init__(self, cluster: NodeCluster) -> None:
        self._cluster = cluster
        self._context: AbstractContextManager[KubernetesDriver] | None = None
        self._stage: KubernetesStage | None = None

    def ready(self) -> KubernetesStage:
        if self._stage is None or not self._stage.is_clean:
            self.close()
            self._context = service_driver(self._cluster)
            self._stage = KubernetesStage(self._context.__enter__())
            made = self._stage.driver.up()
            assert made.ok, made
        return self._stage

    def close(self) -> None:
        if self._context is not None:
            self._context.__exit__(None, None, None)
        self._context = self._stage = None


@pytest.fixture(scope="module")
def stages(node_cluster: NodeCluster) -> Iterator[Stages]:
    stages = Stages(node_cluster)
    yield stages
    stages.close()


@pytest.fixture
def stage(stages: Stages) -> KubernetesStage:
    """Both colors: one live with a release of its own, the other one retired."""
    return stages.ready()


def killed(stage: KubernetesStage, kill: Kill) -> KilledUpdate:
    update = stage.killed_up(kill)
    update.describe()
    assert update.killed_at == kill.point, update.result
    assert update.result.exit_code == -9, update.result
    return update


def assert_the_way_out_is_named_and_works(stage: KubernetesStage, update: KilledUpdate) -> None:
    if update.locks:
        following = stage.driver.up()
        assert not following.ok
        assert "pulumi cancel" in following.text
        assert "Traceback" not in following.text
        cancelled = stage.cancel()
        assert cancelled.ok, cancelled
    last = stage.driver.up()
    assert last.ok, last
    if stage.pending_kinds():
        # Only of a creation does the engine not know what became of it, and it names the way out.
        assert stage.pending_kinds() == {"creating"}
        assert "`pulumi refresh` will need to be run interactively to clear" in last.text
        cleared = stage.clear_pending_creates()
        assert cleared.ok, cleared


def assert_all_is_as_wanted(stage: KubernetesStage) -> None:
    preview = stage.driver.stack.preview()
    assert preview.ok, preview
    assert preview.plan == []
    assert "pending" not in preview.text
    assert stage.pending_kinds() == set()
    assert stage.surprises() == []


def test_an_update_passes_every_point_that_it_is_killed_at(stage: KubernetesStage):
    stage.turn()

    result, points = stage.recorded_up()

    assert result.ok, result
    assert {kill.point for kill in (*IN_EVERY_RUN, *MORE)} <= set(points)
    assert_all_is_as_wanted(stage)
    stage.is_clean = True


@pytest.mark.parametrize("kill", [*IN_EVERY_RUN, *soak(MORE)], ids=str)
def test_a_killed_update_harms_no_request_and_is_finished_by_the_next(
    stage: KubernetesStage, kill: Kill
):
    stage.turn()

    with stage.load() as load:
        update = killed(stage, kill)
        assert_the_way_out_is_named_and_works(stage, update)
        recording = load.stop()

    assert recording.failures() == {}
    assert answers_of_unready(recording) == 0
    assert len(recording) > 100
    assert_all_is_as_wanted(stage)
    stage.is_clean = True


@pytest.mark.soak
@pytest.mark.parametrize("kill", FIRST, ids=str)
def test_a_killed_first_update_is_finished_by_the_next(node_cluster: NodeCluster, kill: Kill):
    with service_driver(node_cluster) as driver:
        stage = KubernetesStage(driver)

        update = killed(stage, kill)
        assert_the_way_out_is_named_and_works(stage, update)

        assert_all_is_as_wanted(stage)
