"""A kill -9 of `pulumi up` at its moments on AWS; see `test_kills` for the idea.

The points of the provider are those of the bridge: where the official one runs there are none.
"""

import contextlib
import shutil
from collections.abc import Iterator

import pytest

from tests.engine.aws_driver import Region, aws_driver
from tests.engine.aws_kill_stage import AwsStage
from tests.engine.kill_cases import (
    Stages,
    assert_every_point_is_passed,
    assert_nobody_is_harmed_and_the_next_finishes,
    assert_nothing_is_left_to_do,
    in_soak,
    killed,
)
from tests.engine.kill_matrix import Kill
from tests.standins.aws.session import PLUGIN

pytestmark = pytest.mark.skipif(
    shutil.which(PLUGIN.name) is not None, reason="the official provider has no points to kill at"
)

READY = "ready"
IN_EVERY_RUN = (Kill("update shop-route: is done, not answered"),)
"""One update that deploys, switches and retires."""

MORE = (
    Kill("preview: hook shop-router-gate: before"),
    Kill("preview: update shop-route: is pending"),
    Kill("hook shop-new-template-guard: after"),
    Kill("update shop-new-template: is pending", with_process=False),
    Kill("update shop-new-template: is done, not answered"),
    Kill("hook shop-new-guard: after"),
    Kill("update shop-new-members: is pending"),
    Kill("update shop-new-members: is pending", with_process=False),
    Kill("update shop-new-members: is done, not answered"),
    Kill("hook shop-new-ready: before", with_process=False),
    Kill("hook shop-new-ready: after"),
    Kill("hook shop-router-guard: after"),
    Kill("hook shop-router-gate: before"),
    Kill("hook shop-router-gate: after"),
    Kill("update shop-route: is pending"),
    Kill("update shop-route: is pending", with_process=False),
    Kill("update shop-route: is done, not answered", with_process=False),
    Kill("hook shop-router-follow: before"),
    Kill("hook shop-router-follow: before", with_process=False),
    Kill("hook shop-flag-follow: before"),
    Kill("hook shop-flag-follow: after"),
    Kill("update shop-flag: is pending"),
    Kill("update shop-flag: is done, not answered", with_process=False),
    Kill("journal switch: before"),
    Kill("journal switch: after"),
    Kill("update shop-test: is pending"),
    Kill("update shop-test: is done, not answered", with_process=False),
    Kill("hook shop-old-guard: before", with_process=False),
    Kill("hook shop-old-guard: after"),
    Kill("update shop-old-members: is pending"),
    Kill("update shop-old-members: is done, not answered"),
    Kill("outputs of Stack shop-test: after"),
)

FIRST = tuple(
    Kill(f"create {name}: is done, not answered")
    for name in (
        "shop-new",
        "shop-events",
        "shop-test-listener",
        "shop-new-pinned",
        "shop-new-template",
        "shop-new-members",
        "shop-route",
        "shop-flag",
        "shop-test",
    )
)
"""The first update of a stack."""


@contextlib.contextmanager
def aws_stage(region: Region) -> Iterator[AwsStage]:
    """Nothing is deployed."""
    with aws_driver(region) as driver:
        yield AwsStage(driver)


@pytest.fixture(scope="module")
def stages(region: Region) -> Iterator[Stages[AwsStage]]:
    stages = Stages(lambda: aws_stage(region))
    yield stages
    stages.close()


@pytest.fixture
def stage(stages: Stages[AwsStage]) -> AwsStage:
    """Both colors: one live with a release of its own, the other one retired."""
    return stages.ready()


def test_an_update_passes_every_point_that_it_is_killed_at(stage: AwsStage):
    assert_every_point_is_passed(stage, (*IN_EVERY_RUN, *MORE))
    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak((*IN_EVERY_RUN, *MORE), IN_EVERY_RUN))
def test_a_killed_update_harms_no_request_and_is_finished_by_the_next(stage: AwsStage, kill: Kill):
    stage.turn()

    assert_nobody_is_harmed_and_the_next_finishes(stage, kill, conditions=[READY])

    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak(FIRST))
def test_a_killed_first_update_is_taken_over_as_its_message_says(region: Region, kill: Kill):
    with aws_stage(region) as stage:
        killed(stage, kill)
        assert stage.cancel().ok
        taken_over = stage.take_over_pending_creates()
        assert taken_over.ok, taken_over
        last = stage.driver.up()
        assert last.ok, last

        assert_nothing_is_left_to_do(stage)
