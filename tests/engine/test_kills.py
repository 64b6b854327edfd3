"""A kill -9 of `pulumi up` at every moment of it: what users saw, and that the next one converges.

A fixed dozen runs with all tests; `make soak` runs every kill of the matrix.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bluegreen.load import BackgroundLoad
from tests.engine.kill_cases import (
    Stages,
    assert_every_point_is_passed,
    assert_nobody_is_harmed_and_the_next_finishes,
    assert_nobody_was_harmed,
    assert_nothing_is_left_to_do,
    assert_the_way_out_is_named_and_works,
    in_soak,
    killed,
)
from tests.engine.kill_matrix import DOZEN, FIRST, MATRIX, PROXY, REMOVAL, Kill, is_side_effect
from tests.engine.kill_stage import Stage, load_plan
from tests.engine.onprem_driver import APP, onprem_driver
from tests.load.servers import AppProcess

READY = "ready"
FIRST_IN_EVERY_RUN = {Kill("write haproxy.cfg: before it gets its name")}


@contextlib.contextmanager
def onprem_stage() -> Iterator[Stage]:
    """Nothing is deployed."""
    with onprem_driver() as driver:
        yield Stage(driver)


@pytest.fixture(scope="module")
def stages() -> Iterator[Stages[Stage]]:
    stages = Stages(onprem_stage)
    yield stages
    stages.close()


@pytest.fixture
def stage(stages: Stages[Stage]) -> Stage:
    """Both colors: one live with a release of its own, the other one retired."""
    return stages.ready()


def test_an_update_passes_every_point_of_the_matrix(stage: Stage):
    points = assert_every_point_is_passed(stage, MATRIX)

    # What is new in an update is to be killed at, too.
    assert {each for each in points if is_side_effect(each)} <= {kill.point for kill in MATRIX}
    # An engine that is killed while it writes one of those leaves a state nobody can read.
    assert list(stage.driver.stack.state.rglob("*.attrs")) == []
    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak(MATRIX, DOZEN))
def test_a_killed_update_harms_no_request_and_is_finished_by_the_next(stage: Stage, kill: Kill):
    stage.turn()

    assert_nobody_is_harmed_and_the_next_finishes(stage, kill, conditions=[READY])

    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak(REMOVAL))
def test_a_killed_removal_of_a_color_is_finished_by_the_next(stage: Stage, kill: Kill):
    stage.want_old_back()
    assert stage.driver.up().ok
    stage.want_no_old()

    assert_nobody_is_harmed_and_the_next_finishes(stage, kill, conditions=[READY])

    stage.want_all()
    assert stage.driver.up().ok
    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak(PROXY))
def test_a_killed_change_of_the_proxy_harms_no_request_and_is_finished_by_the_next(
    stage: Stage, kill: Kill
):
    stage.want_another_proxy_config()

    assert_nobody_is_harmed_and_the_next_finishes(stage, kill, conditions=[READY])

    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak(FIRST, FIRST_IN_EVERY_RUN))
def test_a_killed_first_update_is_finished_by_the_next(kill: Kill):
    with onprem_stage() as stage:
        update = killed(stage, kill)
        assert_the_way_out_is_named_and_works(stage, update)

        assert_nothing_is_left_to_do(stage)


def test_an_answer_of_a_member_that_is_not_ready_would_be_seen():
    app = AppProcess("--warm-up", "60").wait_until_listening()
    try:
        with BackgroundLoad(replace(load_plan(app.port), seconds=0.2)) as load:
            recording = load.wait()
    finally:
        app.end()

    assert recording.failures() == {}
    assert len(recording) > 0
    with pytest.raises(AssertionError, match="warming up"):
        assert_nobody_was_harmed(recording, conditions=[READY])


@pytest.mark.soak
def test_a_switch_to_members_that_are_not_ready_would_be_seen():
    with onprem_stage() as stage:
        driver = stage.driver
        # A health check that does not ask what it should.
        driver.configure("service.health_check.path", "/version")
        assert driver.up().ok
        stage.turn()
        driver.configure(f"{stage.new}.command", f"python3 {APP} --port {{port}} --warm-up 600")

        with stage.load() as load:
            assert driver.up().ok
            recording = load.stop()

    assert recording.failures() == {}
    assert {"ready", "warming up"} <= {each.release for each in recording}


def test_what_a_kill_leaves_in_the_run_directory_would_be_seen(stage: Stage):
    run = stage.driver.run_directory
    before = run.journal.read_text()
    assert stage.surprises_in_run_directory() == []

    (run.path / ".active.json.half").write_text('{"color": ')
    run.journal.write_text(before + '{"kind": ')
    stage.driver.move_by_hand(str(stage.old))
    surprises = stage.surprises_in_run_directory()
    (run.path / ".active.json.half").unlink()
    run.journal.write_text(before)
    stage.driver.move_by_hand(str(stage.new))

    (damaged, moved, left) = surprises
    assert "damaged: line " in damaged
    assert "in its file and" in moved
    assert left == "too many: .active.json.half"
    assert stage.surprises_in_run_directory() == []
