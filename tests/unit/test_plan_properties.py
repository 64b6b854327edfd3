import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.errors import ConfigError
from bluegreen.overrides import ColorPermission, Overrides
from bluegreen.plan import make_plan, retired_replicas
from bluegreen.settings.roles import CanarySettings, RetiredCapacitySettings, RetiredSettings
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.strategies import colors, configs, overrides, releases, retired_capacities

given_any = settings(deadline=None, max_examples=60)

NOTHING = Overrides()


def changed(config, **changes):
    return config.model_copy(update=changes)


def switched(config):
    """What `pulumi config set active_color` of the other color makes of it."""
    return changed(config, active_color=config.active_color.other)


def without_canary(config):
    return changed(config, canary=None)


def rollback_to(color):
    return Overrides(rollback=ColorPermission(color, "bad figures"))


@given_any
@given(configs(), overrides)
def test_the_shares_are_always_those_of_a_whole(config, given_overrides):
    plan = make_plan(config, given_overrides)

    assert sum(share for _, share in plan.split) == 100
    assert plan.split.share_of(plan.active_color) >= 1
    assert plan.split.colors <= plan.fleets.keys()


@given_any
@given(configs(), overrides)
def test_the_idle_color_gets_what_the_canary_says_and_nothing_in_a_rollback(
    config, given_overrides
):
    plan = make_plan(config, given_overrides)

    wanted = config.canary.percent if config.canary and not plan.is_rollback else 0
    assert plan.split.share_of(plan.idle_color) == wanted


@given_any
@given(configs(), overrides)
def test_a_color_with_a_share_always_has_its_full_capacity(config, given_overrides):
    plan = make_plan(config, given_overrides)

    for color in plan.split.colors:
        assert plan.fleets[color].replicas == config.color(color).replicas
        assert not plan.fleets[color].is_retired


@given_any
@given(configs(), overrides)
def test_a_retired_entry_counts_exactly_while_its_color_is_idle_and_holds_its_release(
    config, given_overrides
):
    plan = make_plan(config, given_overrides)

    for color, fleet in plan.fleets.items():
        entry = config.retired
        assert fleet.is_retired == (
            entry is not None
            and entry.color is color
            and entry.release == fleet.release
            and plan.split.share_of(color) == 0
        )
        full = config.color(color).replicas
        left = retired_replicas(full, config.service.retired_capacity)
        assert fleet.replicas == (left if fleet.is_retired else full)


@given_any
@given(configs(), overrides)
def test_a_retired_entry_without_effect_is_always_told(config, given_overrides):
    plan = make_plan(config, given_overrides)

    told = [text for text in plan.warnings if text.startswith("the retired entry")]
    has_effect = any(fleet.is_retired for fleet in plan.fleets.values())
    assert len(told) == (config.retired is not None and not has_effect)


@given_any
@given(configs(), overrides, colors, releases)
def test_retiring_changes_neither_the_route_nor_a_color_with_a_share(
    config, given_overrides, color, release
):
    retired = RetiredSettings(color=color, release=release)

    before = make_plan(changed(config, retired=None), given_overrides)
    after = make_plan(changed(config, retired=retired), given_overrides)

    assert after.route == before.route
    assert after.fleets[after.active_color] == before.fleets[before.active_color]
    for color_with_share in after.split.colors:
        assert after.fleets[color_with_share] == before.fleets[color_with_share]


@given_any
@given(configs(both=True))
def test_a_new_release_brings_a_retired_color_back(config):
    idle = config.active_color.other
    settings_of_idle = config.color(idle)
    entry = RetiredSettings(color=idle, release=settings_of_idle.release)
    retired = changed(without_canary(config), retired=entry)
    deployed = settings_of_idle.model_copy(update={"release": "3.0"})

    before = make_plan(retired, NOTHING).fleets[idle]
    after = make_plan(changed(retired, **{idle: deployed}), NOTHING).fleets[idle]

    assert before.is_retired
    assert not after.is_retired
    assert after.replicas == settings_of_idle.replicas


@given_any
@given(configs(both=True), st.booleans())
def test_a_retired_color_that_is_made_active_has_its_full_capacity(config, is_rollback):
    idle = config.active_color.other
    entry = RetiredSettings(color=idle, release=config.color(idle).release)
    retired = changed(without_canary(config), retired=entry)

    plan = make_plan(switched(retired), rollback_to(idle) if is_rollback else NOTHING)

    assert plan.fleets[idle].replicas == config.color(idle).replicas
    assert plan.split == TrafficSplit.all_to(idle)


@given_any
@given(configs(both=True))
def test_a_switch_changes_the_route_and_the_capacity_of_a_retired_color_and_nothing_else(config):
    config = without_canary(config)

    before, after = make_plan(config, NOTHING), make_plan(switched(config), NOTHING)

    assert before.route == Route(config.active_color, TrafficSplit.all_to(config.active_color))
    assert after.route == Route(before.idle_color, TrafficSplit.all_to(before.idle_color))
    assert after.fleets.keys() == before.fleets.keys()
    for color in Color:
        left, right = before.fleets[color], after.fleets[color]
        assert right.settings == left.settings
        assert right.release == left.release
        if not (left.is_retired or right.is_retired):
            assert right == left


@given_any
@given(configs(both=True))
def test_a_switch_never_shrinks_anything_by_itself(config):
    config = changed(without_canary(config), retired=None)

    before, after = make_plan(config, NOTHING), make_plan(switched(config), NOTHING)

    assert after.fleets == before.fleets


@given_any
@given(configs(both=True), st.integers(0, 99))
def test_a_rollback_after_a_switch_restores_the_first_route(config, percent):
    config = without_canary(config)
    first = make_plan(config, NOTHING)
    with_canary_for_the_old_color = changed(
        switched(config), canary=CanarySettings(color=config.active_color, percent=percent)
    )
    make_plan(with_canary_for_the_old_color, NOTHING)

    back = make_plan(switched(with_canary_for_the_old_color), rollback_to(config.active_color))

    assert back.route == first.route
    assert back.fleets == first.fleets
    assert back.is_rollback


@given_any
@given(configs(both=True), colors, st.integers(0, 99))
def test_a_rollback_is_never_refused_and_leaves_no_canary(config, color, percent):
    config = changed(config, canary=CanarySettings(color=color, percent=percent))

    plan = make_plan(config, rollback_to(config.active_color))

    assert plan.split == TrafficSplit.all_to(config.active_color)
    assert any("is set to 0 in this rollback" in text for text in plan.warnings) == (percent > 0)


@given_any
@given(configs(both=True), st.booleans(), st.integers(1, 99))
def test_a_switch_to_the_color_of_a_canary_is_refused_until_the_canary_is_reset(
    config, is_rollback_elsewhere, percent
):
    canary = CanarySettings(color=config.active_color, percent=percent)
    config = changed(config, canary=canary)
    given_overrides = rollback_to(config.active_color.other) if is_rollback_elsewhere else NOTHING

    with pytest.raises(ConfigError, match=r"`pulumi config set --path canary\.percent 0`"):
        make_plan(config, given_overrides)

    reset = changed(config, canary=canary.model_copy(update={"percent": 0}))
    assert make_plan(reset, given_overrides).split == TrafficSplit.all_to(config.active_color)


@given_any
@given(configs(), overrides)
def test_permissions_that_are_not_for_a_rollback_change_nothing_in_the_plan(
    config, given_overrides
):
    rollback_only = Overrides(rollback=given_overrides.rollback)

    assert make_plan(config, given_overrides) == make_plan(config, rollback_only)


@given_any
@given(st.integers(1, 1000), retired_capacities)
def test_a_retired_color_never_grows(full, capacity):
    left = retired_replicas(full, RetiredCapacitySettings.model_validate(capacity))

    assert 0 <= left <= full
    assert (left == 0) == (capacity["mode"] == "zero")
