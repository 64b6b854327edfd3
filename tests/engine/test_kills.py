"""A kill -9 of `pulumi up` at every moment of it: what users saw, and that the next one converges.

A fixed dozen runs with all tests; `make soak` runs every kill of the matrix.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from bluegreen.load import BackgroundLoad
from tests.engine.kill_matrix import DOZEN, FIRST, MATRIX, PROXY, REMOVAL, Kill, is_side_effect
from tests.engine.kill_stage import KilledUpdate, Stage, load_plan, not_ready_answers
from tests.engine.onprem_driver import APP, OnPremDriver, onprem_driver
from tests.load.servers import AppProcess

FIRST_IN_EVERY_RUN = {Kill("write haproxy.cfg: before it gets its name")}


def in_soak(kills: tuple[Kill, ...], in_every_run: frozenset[Kill] | set[Kill] = frozenset()):
    return [
        pytest.param(kill, id=str(kill), marks=[] if kill in in_every_run else pytest.mark.soak)
        for kill in kills
    ]


class Stages:
    """The stage that the cases share; another one after a case that failed."""

    def __init__(self) -> None:
        self._context: AbstractContextManager[OnPremDriver] | None = None
        self._stage: Stage | None = None

    def ready(self) -> Stage:
        if self._stage is None or not self._stage.is_clean:
            self.close()
            self._context = onprem_driver()
            self._stage = Stage(self._context.__enter__())
            made = self._stage.driver.up()
            assert made.ok, made
            self._stage.is_clean = True
        return self._stage

    def close(self) -> None:
        if self._context is not None:
            self._context.__exit__(None, None, None)
        self._context = self._stage = None


@pytest.fixture(scope="module")
def stages() -> Iterator[Stages]:
    stages = Stages()
    yield stages
    stages.close()


@pytest.fixture
def stage(stages: Stages) -> Stage:
    """Both colors: one live with a release of its own, the other one retired."""
    return stages.ready()


def killed(stage: Stage, kill: Kill) -> KilledUpdate:
    update = stage.killed_up(kill)
    update.describe()
    assert update.killed_at == kill.point, update.result
    assert update.result.exit_code == -9, update.result
    return update


def assert_the_next_update_names_the_way_out(stage: Stage, update: KilledUpdate) -> None:
    following = stage.driver.up()

    if update.locks:
        assert not following.ok
        assert "pulumi cancel" in following.text
        assert "Traceback" not in following.text
        cancelled = stage.cancel()
        assert cancelled.ok, cancelled
    else:
        assert following.ok, following


def assert_it_converges(stage: Stage) -> None:
    last = stage.driver.up()
    assert last.ok, last
    if stage.pending_operations():
        # Only of a creation does the engine not know what became of it, and it names the way out.
        assert stage.pending_kinds() == {"creating"}
        assert "`pulumi refresh` will need to be run interactively to clear" in last.text
        cleared = stage.clear_pending_creates()
        assert cleared.ok, cleared
    preview = stage.preview()

    assert preview.ok, preview
    assert preview.plan == []
    assert "pending" not in preview.text
    assert stage.pending_operations() == []


def assert_all_is_as_wanted(stage: Stage) -> None:
    assert stage.driver.live() == stage.wanted_split()
    assert stage.driver.ask("production") == stage.wanted_answers()
    outputs = stage.driver.outputs()
    assert (outputs["active_color"], outputs["releases"]) == (stage.new, stage.wanted_releases())
    assert stage.wait_for_orphans() == []
    assert stage.programs() == stage.wanted_programs()
    assert stage.unwanted_processes() == []
    assert stage.surprises_in_run_directory() == []
    assert stage.switches_recorded() >= 1


def assert_nobody_is_harmed_and_the_next_finishes(stage: Stage, kill: Kill) -> None:
    with stage.load() as load:
        update = killed(stage, kill)
        assert_the_next_update_names_the_way_out(stage, update)
        assert_it_converges(stage)
        recording = load.stop()

    assert recording.failures() == {}
    assert not_ready_answers(recording) == 0
    assert len(recording) > 100


def test_an_update_passes_every_point_of_the_matrix(stage: Stage):
    stage.turn()

    result, points = stage.recorded_up()

    assert result.ok, result
    assert {kill.point for kill in MATRIX} <= set(points)
    # What is new in an update is to be killed at, too.
    assert {each for each in points if is_side_effect(each)} <= {kill.point for kill in MATRIX}
    assert_all_is_as_wanted(stage)
    # An engine that is killed while it writes one of those leaves a state nobody can read.
    assert list(stage.driver.stack.state.rglob("*.attrs")) == []
    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak(MATRIX, DOZEN))
def test_a_killed_update_harms_no_request_and_is_finished_by_the_next(stage: Stage, kill: Kill):
    stage.turn()

    assert_nobody_is_harmed_and_the_next_finishes(stage, kill)

    assert_all_is_as_wanted(stage)
    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak(REMOVAL))
def test_a_killed_removal_of_a_color_is_finished_by_the_next(stage: Stage, kill: Kill):
    stage.want_old_back()
    assert stage.driver.up().ok
    stage.want_no_old()

    assert_nobody_is_harmed_and_the_next_finishes(stage, kill)

    assert_all_is_as_wanted(stage)
    stage.want_all()
    assert stage.driver.up().ok
    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak(PROXY))
def test_a_killed_change_of_the_proxy_harms_no_request_and_is_finished_by_the_next(
    stage: Stage, kill: Kill
):
    stage.want_another_proxy_config()

    assert_nobody_is_harmed_and_the_next_finishes(stage, kill)

    assert_all_is_as_wanted(stage)
    stage.is_clean = True


@pytest.mark.parametrize("kill", in_soak(FIRST, FIRST_IN_EVERY_RUN))
def test_a_killed_first_update_is_finished_by_the_next(kill: Kill):
    with onprem_driver() as driver:
        stage = Stage(driver)

        update = killed(stage, kill)
        assert_the_next_update_names_the_way_out(stage, update)
        assert_it_converges(stage)

        assert_all_is_as_wanted(stage)


def test_an_answer_of_a_member_that_is_not_ready_would_be_seen():
    app = AppProcess("--warm-up", "60").wait_until_listening()
    try:
        with BackgroundLoad(replace(load_plan(app.port), seconds=0.2)) as load:
            recording = load.wait()
    finally:
        app.end()

    assert recording.failures() == {}
    assert not_ready_answers(recording) == len(recording) > 0


@pytest.mark.soak
def test_a_switch_to_members_that_are_not_ready_would_be_seen():
    with onprem_driver() as driver:
        stage = Stage(driver)
        # A health check that does not ask what it should.
        driver.configure("service.health_check.path", "/version")
        assert driver.up().ok
        stage.turn()
        driver.configure(f"{stage.new}.command", f"python3 {APP} --port {{port}} --warm-up 600")

        with stage.load() as load:
            assert driver.up().ok
            recording = load.stop()

    assert recording.failures() == {}
    assert 0 < not_ready_answers(recording) < len(recording)


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
