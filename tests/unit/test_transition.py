from datetime import UTC, datetime, timedelta, timezone

import pytest

from bluegreen.colors import Color
from bluegreen.traffic import Route, TrafficSplit
from bluegreen.transition import (
    FleetChange,
    FleetState,
    Situation,
    fleet_change,
    judge_live_change,
    judge_retention,
    judge_transition,
)

BLUE, GREEN = Color.BLUE, Color.GREEN
ALL_BLUE, ALL_GREEN = TrafficSplit.all_to(BLUE), TrafficSplit.all_to(GREEN)
TENTH_GREEN = TrafficSplit(blue=90, green=10)

SWITCHED_AT = datetime(2030, 1, 1, 12, tzinfo=UTC)


def on(split):
    """The route of a split without a doubt about which color is active."""
    return Route(BLUE if split.blue > split.green else GREEN, split)


def judged(wanted, recorded, live, *, is_rollback=False):
    return judge_transition(
        wanted=on(wanted),
        recorded=None if recorded is None else on(recorded),
        live=live,
        is_rollback=is_rollback,
    )


@pytest.mark.parametrize(
    ("wanted", "recorded", "live", "situation"),
    [
        # Nothing is live: whatever the state says, this is a first deployment.
        (ALL_BLUE, None, None, Situation.FIRST),
        (ALL_BLUE, ALL_BLUE, None, Situation.FIRST),
        (ALL_GREEN, ALL_BLUE, None, Situation.FIRST),
        (TENTH_GREEN, ALL_GREEN, None, Situation.FIRST),
        # Live already is what is wanted.
        (ALL_BLUE, None, ALL_BLUE, Situation.FINISH),
        (ALL_BLUE, ALL_BLUE, ALL_BLUE, Situation.FINISH),
        (ALL_GREEN, ALL_BLUE, ALL_GREEN, Situation.FINISH),
        (TENTH_GREEN, ALL_BLUE, TENTH_GREEN, Situation.FINISH),
        # Live is what was recorded.
        (ALL_GREEN, ALL_BLUE, ALL_BLUE, Situation.PROCEED),
        (ALL_BLUE, TENTH_GREEN, TENTH_GREEN, Situation.PROCEED),
        (ALL_GREEN, TENTH_GREEN, TENTH_GREEN, Situation.PROCEED),
        (TENTH_GREEN, ALL_BLUE, ALL_BLUE, Situation.PROCEED),
        # Live is neither, and the active color is not about to change.
        (ALL_BLUE, ALL_BLUE, ALL_GREEN, Situation.REPAIR),
        (ALL_BLUE, ALL_BLUE, TENTH_GREEN, Situation.REPAIR),
        (TENTH_GREEN, ALL_BLUE, ALL_GREEN, Situation.REPAIR),
        (ALL_GREEN, ALL_GREEN, TENTH_GREEN, Situation.REPAIR),
        # Live is neither, and the active color is about to change.
        (ALL_GREEN, ALL_BLUE, TENTH_GREEN, Situation.CONFLICT),
        (ALL_BLUE, ALL_GREEN, TENTH_GREEN, Situation.CONFLICT),
        (TENTH_GREEN, ALL_GREEN, ALL_BLUE, Situation.CONFLICT),
        # Live is not wanted, and nothing is recorded.
        (ALL_BLUE, None, ALL_GREEN, Situation.CONFLICT),
        (ALL_GREEN, None, TENTH_GREEN, Situation.CONFLICT),
    ],
)
def test_wanted_recorded_and_live_make_a_situation(wanted, recorded, live, situation):
    transition = judged(wanted, recorded, live)

    assert transition.situation is situation
    assert (transition.refusal is not None) == (situation is Situation.CONFLICT)
    assert transition.rising == wanted.rising_since(live)


@pytest.mark.parametrize("wanted", [ALL_BLUE, ALL_GREEN, TENTH_GREEN])
@pytest.mark.parametrize("recorded", [None, ALL_BLUE, ALL_GREEN, TENTH_GREEN])
@pytest.mark.parametrize("live", [None, ALL_BLUE, ALL_GREEN, TENTH_GREEN])
def test_a_rollback_turns_a_conflict_into_a_repair_and_changes_nothing_else(wanted, recorded, live):
    ordinary = judged(wanted, recorded, live)

    rollback = judged(wanted, recorded, live, is_rollback=True)

    assert rollback.refusal is None
    assert rollback.rising == ordinary.rising
    is_conflict = ordinary.situation is Situation.CONFLICT
    assert rollback.situation is (Situation.REPAIR if is_conflict else ordinary.situation)


def test_a_canary_with_most_of_the_traffic_does_not_make_its_color_active():
    wanted = Route(BLUE, TrafficSplit(blue=50, green=50))
    recorded = Route(BLUE, TrafficSplit(blue=1, green=99))

    transition = judge_transition(wanted=wanted, recorded=recorded, live=ALL_GREEN)

    assert transition.situation is Situation.REPAIR


def test_the_refusal_of_a_conflict_names_all_three_and_the_ways_out():
    assert judged(ALL_GREEN, ALL_BLUE, TENTH_GREEN).refusal == (
        "production traffic is at 90 % blue, 10 % green, but the last update left it at 100 % blue "
        "and this one wants 100 % green: somebody else moved it; production traffic has not been "
        "moved by this update; `pulumi refresh` takes over what is live, or `pulumi config set "
        "active_color blue` repairs it"
    )


def test_the_refusal_without_a_record_says_how_to_take_over():
    assert judged(ALL_BLUE, None, ALL_GREEN).refusal == (
        "production traffic is at 100 % green, but no router is recorded in this stack, and this "
        "update wants 100 % blue: another stack or an earlier one left it there; production "
        "traffic has not been moved by this update; set active_color and canary to what is live to "
        "take it over"
    )


def holding(release="1.0", fingerprint=None, replicas=3):
    return FleetState(release, fingerprint or f"print of {release}", replicas)


@pytest.mark.parametrize(
    ("before", "after", "is_new_release", "is_shrink"),
    [
        (None, holding(), False, False),
        (holding(replicas=0), holding("1.1"), False, False),
        (holding(replicas=0), holding(replicas=0), False, False),
        (holding(), holding(), False, False),
        (holding(), holding(replicas=4), False, False),
        (holding(), holding(replicas=2), False, True),
        (holding(), holding(replicas=0), False, True),
        (holding(), holding("1.1"), True, False),
        (holding(), holding(fingerprint="other command"), True, False),
        (holding(), holding("1.1", replicas=4), True, False),
        (holding(), holding("1.1", replicas=1), True, True),
    ],
)
def test_a_change_of_a_color_is_what_it_does_to_its_members(
    before, after, is_new_release, is_shrink
):
    change = fleet_change(before, after)

    assert change == FleetChange(is_new_release=is_new_release, is_shrink=is_shrink)
    assert change.ends_members == (is_new_release or is_shrink)


@pytest.mark.parametrize("share", [1, 50, 100])
def test_the_release_of_a_color_with_any_share_is_protected(share):
    refusal = judge_live_change(BLUE, holding("1.0"), holding("1.1"), share=share, is_allowed=False)

    assert refusal == (
        f"blue has {share} % of production traffic and its release would change from 1.0 to 1.1; "
        "nothing was changed; deploy to green and switch, or allow it once with "
        "BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'"
    )


def test_the_same_release_started_differently_is_protected_too():
    refusal = judge_live_change(
        GREEN, holding("1.0"), holding("1.0", "other"), share=100, is_allowed=False
    )

    assert refusal == (
        "green has 100 % of production traffic and release 1.0 would be started differently "
        "(command or environment); nothing was changed; deploy to blue and switch, or allow it "
        "once with BLUEGREEN_ALLOW_LIVE_CHANGE='green:why'"
    )


@pytest.mark.parametrize(
    ("after", "share", "is_allowed"),
    [
        (holding("1.1"), 0, False),
        (holding("1.1"), 100, True),
        (holding("1.0", replicas=9), 100, False),
        (holding("1.0", replicas=1), 100, False),
    ],
)
def test_an_idle_color_an_allowed_change_and_another_size_are_not_protected(
    after, share, is_allowed
):
    assert judge_live_change(BLUE, holding(), after, share=share, is_allowed=is_allowed) is None


def retention(now, *, hours=24.0, idle_since=SWITCHED_AT, reason=None):
    return judge_retention(
        BLUE,
        "1.0",
        idle_since=idle_since,
        now=now,
        retention_hours=hours,
        reason_to_retire_early=reason,
    )


def test_a_rollback_target_is_kept_and_the_refusal_says_how_long():
    assert retention(SWITCHED_AT + timedelta(hours=6)) == (
        "blue 1.0 must stay able to serve until 2030-01-02 12:00:00 UTC (18.0 of 24 hours left): "
        "it is the rollback target; it was not shrunk; wait, or say BLUEGREEN_RETIRE_EARLY='why'"
    )


@pytest.mark.parametrize(
    ("after", "is_kept"),
    [
        (timedelta(0), True),
        (timedelta(hours=24) - timedelta(microseconds=1), True),
        (timedelta(hours=24), False),
        (timedelta(days=400), False),
        (timedelta(seconds=-5), True),
    ],
)
def test_retention_ends_exactly_when_its_hours_are_over(after, is_kept):
    assert (retention(SWITCHED_AT + after) is not None) == is_kept


@pytest.mark.parametrize(("minutes", "is_kept"), [(29, True), (30, False)])
def test_retention_may_be_a_part_of_an_hour(minutes, is_kept):
    refusal = retention(SWITCHED_AT + timedelta(minutes=minutes), hours=0.5)

    assert (refusal is not None) == is_kept
    assert not is_kept or "(0.1 of 0.5 hours left)" in refusal


def test_without_retention_nothing_is_kept():
    assert retention(SWITCHED_AT, hours=0) is None


def test_a_color_that_was_never_switched_from_is_not_kept():
    assert retention(SWITCHED_AT, idle_since=None) is None


def test_a_reason_ends_retention_early():
    assert retention(SWITCHED_AT, reason="costs") is None


def test_the_end_of_retention_is_told_in_utc_wherever_the_clock_stands():
    east = SWITCHED_AT.astimezone(timezone(timedelta(hours=9)))

    assert retention(SWITCHED_AT, idle_since=east) == retention(SWITCHED_AT)
