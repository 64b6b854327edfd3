"""What every platform's cases of killed updates do alike: one shared stage, and what must hold."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

import pytest

from bluegreen.load import Recording
from tests.engine.kill_matrix import Kill
from tests.engine.turning_stage import KilledUpdate, TurningStage

__all__ = [
    "Stages",
    "assert_every_point_is_passed",
    "assert_nobody_is_harmed_and_the_next_finishes",
    "assert_nobody_was_harmed",
    "assert_nothing_is_left_to_do",
    "assert_the_way_out_is_named_and_works",
    "in_soak",
    "killed",
]

Stage = TypeVar("Stage", bound=TurningStage)


def in_soak(kills: Iterable[Kill], in_every_run: Iterable[Kill] = ()) -> list[Any]:
    """The kills as parameters; all but some only run in `make soak`."""
    chosen = set(in_every_run)
    return [
        pytest.param(kill, id=str(kill), marks=[] if kill in chosen else pytest.mark.soak)
        for kill in kills
    ]


class Stages(Generic[Stage]):
    """The stage that the cases share; another one after a case that failed."""

    def __init__(self, make: Callable[[], AbstractContextManager[Stage]]) -> None:
        """Takes how to make one of which nothing is deployed."""
        self._make = make
        self._context: AbstractContextManager[Stage] | None = None
        self._stage: Stage | None = None

    def ready(self) -> Stage:
        """One whose last case went well, or a new one."""
        if self._stage is None or not self._stage.is_clean:
            self.close()
            self._context = self._make()
            self._stage = self._context.__enter__()
            made = self._stage.driver.up()
            assert made.ok, made
            self._stage.is_clean = True
        return self._stage

    def close(self) -> None:
        """Ends it."""
        if self._context is not None:
            self._context.__exit__(None, None, None)
        self._context = self._stage = None


def killed(stage: TurningStage, kill: Kill) -> KilledUpdate:
    """An update that was killed where it should be."""
    update = stage.killed_up(kill)
    update.describe()
    assert update.killed_at == kill.point, update.result
    assert update.result.exit_code == -9, update.result
    return update


def assert_the_way_out_is_named_and_works(stage: TurningStage, update: KilledUpdate) -> None:
    """The lock's message names `pulumi cancel`; the update after that finishes."""
    if update.locks:
        following = stage.driver.stack.up("--skip-preview")
        assert not following.ok, following
        assert "pulumi cancel" in following.text, following
        assert "Traceback" not in following.text, following
        cancelled = stage.cancel()
        assert cancelled.ok, cancelled
    last = stage.driver.up()
    assert last.ok, last
    if pending := stage.pending_kinds():
        # Only of a creation does the engine not know what became of it, and it names the way out.
        assert pending == {"creating"}, pending
        assert "`pulumi refresh` will need to be run interactively to clear" in last.text, last
        cleared = stage.clear_pending_creates()
        assert cleared.ok, cleared


def assert_nothing_is_left_to_do(stage: TurningStage) -> None:
    """A preview has no changes, no operation is pending, and everything is as the config says."""
    preview = stage.driver.stack.preview()
    assert preview.ok, preview
    assert preview.plan == [], preview
    assert "pending" not in preview.text, preview
    pending = stage.pending_operations()
    assert pending == [], pending
    surprises = list(stage.surprises())
    assert surprises == [], surprises


def assert_nobody_was_harmed(recording: Recording, *, conditions: Iterable[str]) -> None:
    """Every request was answered, by a member in one of these conditions."""
    failures = recording.failures()
    assert failures == {}, failures
    allowed = set(conditions)
    others = [each.release for each in recording if each.release not in allowed]
    assert others == [], f"{len(others)} answers of members that were {set(others)}"
    assert len(recording) > 100, len(recording)


def assert_every_point_is_passed(stage: TurningStage, kills: Iterable[Kill]) -> list[str]:
    """An update that nobody kills passes each of the points; else a kill there would show nothing.

    Returns all that it has passed.
    """
    stage.turn()
    result, points = stage.recorded_up()
    assert result.ok, result
    assert {kill.point for kill in kills} <= set(points)
    assert_nothing_is_left_to_do(stage)
    return points


def assert_nobody_is_harmed_and_the_next_finishes(
    stage: TurningStage, kill: Kill, *, conditions: Iterable[str]
) -> None:
    """The update is killed under load; requests are answered by members in these conditions."""
    with stage.load() as load:
        update = killed(stage, kill)
        assert_the_way_out_is_named_and_works(stage, update)
        recording = load.stop()

    assert_nobody_was_harmed(recording, conditions=conditions)
    assert_nothing_is_left_to_do(stage)
