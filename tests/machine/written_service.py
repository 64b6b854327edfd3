"""What was written into the config of a service, and what must be so because of it."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar
from unittest import TestCase

import pytest
from hypothesis import HealthCheck, currently_in_test_context, note, settings
from hypothesis.stateful import RuleBasedStateMachine

from bluegreen.colors import Color
from bluegreen.traffic import Route, TrafficSplit
from tests.machine.observed import Seen, Wanted, changed_live_members, moved_wrongly
from tests.machine.world import World

__all__ = ["WrittenService", "color_settings", "few_and_many", "some_runs"]


def some_runs(runs: int, steps: int, *, is_fixed: bool) -> settings:
    """How often and how long a machine runs; a fixed run is the same every time."""
    return settings(
        max_examples=runs,
        stateful_step_count=steps,
        derandomize=is_fixed,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def few_and_many(
    machine: type[RuleBasedStateMachine], few: settings, many: settings
) -> tuple[type[TestCase], type[TestCase]]:
    """The tests of a machine: a few runs of it, and with the marker `soak` many."""

    def tests_with(chosen: settings) -> type[TestCase]:
        # A class of its own: settings belong to a machine and not to its tests.
        own = type(machine.__name__, (machine,), {})
        own.TestCase.settings = chosen
        return own.TestCase

    return tests_with(few), pytest.mark.soak(tests_with(many))


def color_settings(release: str, replicas: int) -> dict[str, Any]:
    """What is written for a color; the release says how it behaves."""
    _, _, mode = release.partition("-")
    return {"release": release, "replicas": replicas, "env": {"APP_MODE": mode or "normal"}}


class WrittenService:
    """What both machines know: who types the words is their own."""

    make_world: ClassVar[Callable[[], World]]

    def __init__(self) -> None:
        super().__init__()
        self.world = type(self).make_world()
        self.written: dict[str, Any] = {}
        self.retention_hours = 0
        self.unrecorded: set[Color] = set()
        """Colors whose first members were started by an update that was killed: the engine does not
        know of them."""

    @property
    def active(self) -> Color:
        return Color(self.written["active_color"])

    @property
    def is_sound(self) -> bool:
        """Nothing that is written would be refused by a gate."""
        releases = [self.written[color]["release"] for color in Color if color in self.written]
        return all(release.count("-") == 0 for release in releases)

    def write(self, key: str, value: Any) -> None:
        if value is None:
            self.written.pop(key, None)
        else:
            self.written[key] = copy.deepcopy(value)
        self.world.configure(key, value)

    def wanted(self, environment: dict[str, str]) -> Wanted:
        rollback = environment.get("BLUEGREEN_ROLLBACK", "").startswith(self.active)
        allowed = environment.get("BLUEGREEN_ALLOW_LIVE_CHANGE", "").partition(":")[0]
        existing = [color for color in Color if color in self.written]
        return Wanted(
            split=TrafficSplit.with_canary(self.active, 0 if rollback else self.percent),
            releases={color: self.written[color]["release"] for color in existing},
            replicas={color: self.written[color]["replicas"] for color in existing},
            is_rollback=rollback,
            live_change=Color(allowed) if allowed else None,
            keeps_retention=self.retention_hours > 0
            and "BLUEGREEN_RETIRE_EARLY" not in environment,
        )

    @property
    def percent(self) -> int:
        canary = self.written.get("canary", {"percent": 0})
        return 0 if canary.get("color") == self.active else int(canary["percent"])

    def members_of(self, color: Color) -> int:
        if color not in self.written:
            return 0
        retired, settings = self.written.get("retired"), self.written[color]
        is_retired = retired == {"color": color, "release": settings["release"]}
        has_share = color is self.active or self.percent > 0
        return 0 if is_retired and not has_share else int(settings["replicas"])

    def check_moment(self, before: Seen, after: Seen, wanted: Wanted) -> None:
        """Nothing was done to whoever has traffic, and nobody got any who was not ready."""
        problems = list(moved_wrongly(before, after, wanted))
        for color in Color:
            problems += changed_live_members(color, before, after, wanted)
        assert not problems, problems

    def check_settled(self, environment: dict[str, str]) -> None:
        """All that is written is so, and the outputs say it."""
        seen, outputs = self.world.seen(), self.world.outputs()
        split = self.wanted(environment).split
        assert seen.live == Route(self.active, split), (seen, split)
        assert seen.flag is self.active
        assert (outputs["active_color"], outputs["idle_color"]) == (
            self.active,
            self.active.other,
        )
        assert f"active_color {self.active.other}" in outputs["rollback_command"]
        assert outputs["releases"] == {
            color: self.written[color]["release"] for color in Color if color in self.written
        }
        for color in Color:
            if color not in self.written and color in self.unrecorded:
                continue
            fleet = seen.fleets[color]
            assert fleet.members == fleet.ready == self.members_of(color), (color, seen)
            releases = {self.written[color]["release"]} if fleet.members else set()
            assert fleet.releases == releases, (color, seen)

    def tell(self, text: str) -> None:
        """Shown with a failing run."""
        if currently_in_test_context():
            note(text)
