import pytest

from bluegreen.colors import Color
from bluegreen.errors import ConfigError
from bluegreen.overrides import ColorPermission, Overrides
from bluegreen.plan import make_plan, retired_replicas
from bluegreen.settings.roles import RetiredCapacityMode, RetiredCapacitySettings
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.written import COMMAND, a_config

BLUE, GREEN = Color.BLUE, Color.GREEN


def a_plan(*, rollback_to=None, **changes):
    rollback = ColorPermission(rollback_to, "bad figures") if rollback_to else None
    defaults = {
        "blue": {"release": "1.0", "replicas": 3},
        "green": {"release": "1.1", "replicas": 4},
    }
    return make_plan(a_config(**{**defaults, **changes}), Overrides(rollback=rollback))


def a_canary(color, percent):
    return {"color": str(color), "percent": percent}


def retiring(color, release):
    return {"color": str(color), "release": release}


def replicas_of(plan):
    return {color: fleet.replicas for color, fleet in plan.fleets.items()}


@pytest.mark.parametrize("active", list(Color))
def test_the_active_color_gets_all_of_the_traffic_and_both_have_full_capacity(active):
    plan = a_plan(active_color=str(active))

    assert plan.route == Route(active, TrafficSplit.all_to(active))
    assert (plan.active_color, plan.idle_color) == (active, active.other)
    assert plan.split == TrafficSplit.all_to(active)
    assert replicas_of(plan) == {BLUE: 3, GREEN: 4}
    assert {color: fleet.release for color, fleet in plan.fleets.items()} == {
        BLUE: "1.0",
        GREEN: "1.1",
    }
    assert plan.warnings == ()
    assert not plan.is_rollback


def test_on_the_first_day_there_is_no_idle_fleet():
    plan = a_plan(green=None)

    assert replicas_of(plan) == {BLUE: 3}
    assert plan.idle_color is GREEN


def test_a_fleet_is_planned_with_what_was_said_about_its_color():
    config = a_config(green={"release": "2", "env": {"A": "1"}})

    plan = make_plan(config, Overrides())

    assert plan.fleets[GREEN].settings is config.green
    assert plan.fleets[GREEN].color is GREEN


def test_a_retired_idle_color_shrinks():
    plan = a_plan(retired=retiring(GREEN, "1.1"))

    assert replicas_of(plan) == {BLUE: 3, GREEN: 0}
    assert [color for color, fleet in plan.fleets.items() if fleet.is_retired] == [GREEN]
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("full", "capacity", "left"),
    [
        (8, {"mode": "zero", "replicas": 5, "percent": 50}, 0),
        (8, {"mode": "minimum"}, 2),
        (8, {"mode": "minimum", "replicas": 8}, 8),
        (1, {"mode": "minimum", "replicas": 2}, 1),
        (8, {"mode": "percent", "percent": 50}, 4),
        (8, {"mode": "percent", "percent": 51}, 5),
        (3, {"mode": "percent"}, 1),
        (1, {"mode": "percent", "percent": 1}, 1),
        (1000, {"mode": "percent", "percent": 7}, 70),
        (8, {"mode": "percent", "percent": 100}, 8),
    ],
)
def test_what_is_left_of_a_retired_color_depends_on_the_mode(full, capacity, left):
    assert retired_replicas(full, RetiredCapacitySettings.model_validate(capacity)) == left


@pytest.mark.parametrize("mode", list(RetiredCapacityMode))
def test_every_mode_reaches_the_plan(mode):
    capacity = {"mode": str(mode), "replicas": 1, "percent": 50}
    service = {"onprem": {"command": COMMAND}, "retired_capacity": capacity}

    plan = a_plan(service=service, retired=retiring(GREEN, "1.1"))

    assert plan.fleets[GREEN].replicas == {"zero": 0, "minimum": 1, "percent": 2}[mode]
    assert plan.fleets[GREEN].is_retired


@pytest.mark.parametrize(
    ("changes", "retired", "why"),
    [
        ({}, retiring(GREEN, "0.9"), "green is to hold 1.1"),
        ({}, retiring(BLUE, "1.0"), "blue is active"),
        ({}, retiring(BLUE, "0.9"), "blue is to hold 1.0"),
        (
            {"canary": a_canary(GREEN, 5)},
            retiring(GREEN, "1.1"),
            "green has a share of production traffic",
        ),
        ({"green": None}, retiring(GREEN, "1.1"), "green does not exist"),
    ],
)
def test_a_retired_entry_without_effect_is_told_with_the_reason(changes, retired, why):
    plan = a_plan(**changes, retired=retired)

    assert plan.warnings == (
        f"the retired entry for {retired['color']} {retired['release']} has no effect: {why}; "
        "`pulumi config rm retired` removes it",
    )
    assert replicas_of(plan) == replicas_of(a_plan(**changes))
    assert not any(fleet.is_retired for fleet in plan.fleets.values())


@pytest.mark.parametrize("active", list(Color))
def test_a_canary_gets_its_share_while_its_color_is_idle(active):
    plan = a_plan(active_color=str(active), canary=a_canary(active.other, 10))

    assert plan.active_color is active
    assert plan.split.share_of(active.other) == 10
    assert plan.split.share_of(active) == 90


def test_a_canary_with_more_than_half_of_the_traffic_is_still_not_active():
    assert a_plan(canary=a_canary(GREEN, 99)).active_color is BLUE


@pytest.mark.parametrize("percent", [1, 99])
def test_a_switch_to_the_color_of_the_canary_is_refused_with_the_command_that_resets_it(percent):
    with pytest.raises(ConfigError) as caught:
        a_plan(active_color="green", canary=a_canary(GREEN, percent))

    assert str(caught.value) == (
        f"canary.percent: {percent} % is meant for green, which is the active color; a later "
        "rollback would keep that share on it; nothing was changed; "
        "`pulumi config set --path canary.percent 0`"
    )


def test_a_canary_of_nothing_does_not_hold_up_a_switch():
    plan = a_plan(active_color="green", canary=a_canary(GREEN, 0))

    assert plan.split == TrafficSplit.all_to(GREEN)


def test_a_rollback_leaves_nothing_on_the_other_color_and_says_that_the_canary_waits():
    plan = a_plan(rollback_to=BLUE, canary=a_canary(GREEN, 10))

    assert plan.is_rollback
    assert plan.split == TrafficSplit.all_to(BLUE)
    assert plan.warnings == (
        "the canary of 10 % for green is set to 0 in this rollback; "
        "`pulumi config set --path canary.percent 0` makes it stay so",
    )


def test_a_rollback_is_not_held_up_by_a_canary_of_its_own_color():
    plan = a_plan(rollback_to=BLUE, canary=a_canary(BLUE, 10))

    assert plan.split == TrafficSplit.all_to(BLUE)


def test_a_rollback_to_a_color_that_is_not_active_is_ignored_with_a_warning():
    plan = a_plan(rollback_to=GREEN, canary=a_canary(GREEN, 10))

    assert not plan.is_rollback
    assert plan.split.share_of(GREEN) == 10
    assert plan.warnings == (
        "the rollback to green has no effect: active_color is blue; "
        "`pulumi config set active_color green`",
    )


def test_every_warning_is_told():
    plan = a_plan(rollback_to=BLUE, canary=a_canary(GREEN, 10), retired=retiring(GREEN, "0.9"))

    assert len(plan.warnings) == 2
