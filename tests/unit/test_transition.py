from datetime import UTC, datetime, timedelta, timezone

import pytest

from bluegreen.colors import Color
from bluegreen.traffic import Route, TrafficSplit, UnreadableTraffic
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
UNREADABLE = UnreadableTraffic("the traffic map says 'canteen'")

SWITCHED_AT = datetime(2030, 1, 1, 12, tzinfo=UTC)


def on(split):
    """The route of a split without a doubt about which color is active; anything else as it is."""
    if not isinstance(split, TrafficSplit):
        return split
    return Route(BLUE if split.blue > split.green else GREEN, split)


def judged(wanted, recorded, live, *, is_rollback=False):
    return judge_transition(
        wanted=on(wanted),
        recorded=on(recorded),
        live=on(live),
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
@pytest.mark.parametrize("live", [None, ALL_BLUE, ALL_GREEN, TENTH_GREEN, UNREADABLE])
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

    transition = judge_transition(wanted=wanted, recorded=recorded, live=on(ALL_GREEN))

    assert transition.situation is Situation.REPAIR


@pytest.mark.parametrize("live_active", list(Color))
def test_shares_decide_what_is_live_and_not_who_is_called_active(live_active):
    live = Route(live_active, TENTH_GREEN)

    finish = judge_transition(wanted=on(TENTH_GREEN), recorded=on(ALL_BLUE), live=live)
    proceed = judge_transition(wanted=on(ALL_GREEN), recorded=on(TENTH_GREEN), live=live)

    assert (finish.situation, finish.rising) == (Situation.FINISH, ())
    assert (proceed.situation, proceed.rising) == (Situation.PROCEED, (GREEN,))


@pytest.mark.parametrize(
    ("wanted", "recorded", "is_rollback", "situation"),
    [
        # The active color is not about to change.
        (ALL_BLUE, ALL_BLUE, False, Situation.REPAIR),
        (TENTH_GREEN, ALL_BLUE, False, Situation.REPAIR),
        (ALL_GREEN, ALL_GREEN, False, Situation.REPAIR),
        # It is: somebody asked for the way back.
        (ALL_BLUE, ALL_GREEN, True, Situation.REPAIR),
        (ALL_BLUE, None, True, Situation.REPAIR),
        # It is, or nobody knows.
        (ALL_GREEN, ALL_BLUE, False, Situation.CONFLICT),
        (ALL_BLUE, TrafficSplit(blue=10, green=90), False, Situation.CONFLICT),
        (ALL_BLUE, None, False, Situation.CONFLICT),
    ],
)
def test_traffic_that_cannot_be_read_is_repaired_or_a_conflict_and_every_wanted_color_rises(
    wanted, recorded, is_rollback, situation
):
    transition = judged(wanted, recorded, UNREADABLE, is_rollback=is_rollback)

    assert transition.situation is situation
    assert (transition.refusal is not None) == (situation is Situation.CONFLICT)
    assert set(transition.rising) == wanted.colors


def test_the_refusal_of_unreadable_traffic_names_what_is_said_and_the_only_way_out():
    assert judged(ALL_GREEN, ALL_BLUE, UNREADABLE).refusal == (
        "where production traffic goes cannot be read: the traffic map says 'canteen'; production "
        "traffic has not been moved by this update; the last update left it at 100 % blue and this "
        "one wants 100 % green; `pulumi config set active_color blue` repairs it, and can be set "
        "back then"
    )


def test_the_refusal_of_unreadable_traffic_without_a_record_offers_nothing_that_cannot_help():
    assert judged(ALL_BLUE, None, UNREADABLE).refusal == (
        "where production traffic goes cannot be read: the traffic map says 'canteen'; production "
        "traffic has not been moved by this update; no router is recorded in this stack that it "
        "could be moved back to; take out of the router what this library did not write, and run "
        "`pulumi up` again"
    )


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
        (None, holding(replicas=0), False, False),
        # Whatever the number of members is, another fingerprint is another release.
        (holding(replicas=0), holding("1.1"), True, False),
        (holding(replicas=0), holding("1.1", replicas=0), True, False),
        (holding(replicas=0), holding(fingerprint="other command"), True, False),
        (holding(), holding("1.1", replicas=0), True, True),
        (holding(replicas=0), holding(replicas=0), False, False),
        (holding(replicas=0), holding(), False, False),
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
    assert change.is_nothing == (not is_new_release and not is_shrink)


def live_change(color, before, after, *, share, wanted_share=None, is_allowed=False):
    """By default the share is not about to change."""
    return judge_live_change(
        color,
        before,
        after,
        share=share,
        wanted_share=share if wanted_share is None else wanted_share,
        is_allowed=is_allowed,
    )


@pytest.mark.parametrize("share", [1, 50, 100])
def test_the_release_of_a_color_with_any_share_is_protected(share):
    refusal = live_change(BLUE, holding("1.0"), holding("1.1"), share=share)

    assert refusal == (
        f"blue has {share} % of production traffic and its release would change from 1.0 to 1.1; "
        "nothing was changed; deploy to green and switch, or allow it once with "
        "BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'"
    )


def test_the_same_release_started_differently_is_protected_too():
    refusal = live_change(GREEN, holding("1.0"), holding("1.0", "other"), share=100)

    assert refusal == (
        "green has 100 % of production traffic and release 1.0 would be started differently "
        "(command, environment, folder or port); nothing was changed; deploy to blue and switch, "
        "or allow it once with BLUEGREEN_ALLOW_LIVE_CHANGE='green:why'"
    )


@pytest.mark.parametrize("share", [1, 100])
def test_the_members_of_a_color_that_keeps_a_share_are_not_made_fewer(share):
    refusal = live_change(BLUE, holding(replicas=3), holding(replicas=1), share=share)

    assert refusal == (
        f"blue has {share} % of production traffic and it would shrink from 3 to 1 members; "
        "nothing was changed; keep them with `pulumi config set --path blue.replicas 3`, or "
        "allow it once with BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'"
    )


@pytest.mark.parametrize("after", [holding("1.1"), holding("1.1", replicas=1)])
def test_a_new_release_on_a_color_that_loses_its_share_comes_after_the_switch(after):
    refusal = live_change(BLUE, holding("1.0"), after, share=100, wanted_share=0)

    assert refusal == (
        "blue has 100 % of production traffic and its release would change from 1.0 to 1.1; "
        "nothing was changed; take its traffic away in an update of its own, and deploy to it "
        "after that, or allow it once with BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'"
    )


def test_a_new_release_with_fewer_members_is_told_as_a_new_release():
    refusal = live_change(BLUE, holding("1.0"), holding("1.1", replicas=1), share=100)

    assert "its release would change from 1.0 to 1.1" in refusal
    assert "deploy to green and switch" in refusal


def test_a_color_without_members_that_has_a_share_is_protected_like_any_other():
    before, after = holding("1.0", replicas=0), holding("1.1", replicas=3)

    assert live_change(BLUE, before, after, share=100) is not None


def test_a_color_that_is_to_get_its_first_share_may_still_change():
    before, after = holding("1.0", replicas=3), holding("1.1", replicas=2)

    assert live_change(BLUE, before, after, share=0, wanted_share=100) is None


@pytest.mark.parametrize(
    ("after", "share", "wanted_share", "is_allowed"),
    [
        (holding("1.1"), 0, 0, False),
        (holding(replicas=1), 0, 0, False),
        (holding("1.1"), 100, 100, True),
        (holding("1.1"), 100, 0, True),
        (holding(replicas=1), 100, 100, True),
        (holding(replicas=9), 100, 100, False),
        (holding(), 100, 100, False),
        # It is shrunk after the switch, and guarded then.
        (holding(replicas=1), 100, 0, False),
    ],
)
def test_an_idle_color_an_allowed_change_and_more_members_are_not_protected(
    after, share, wanted_share, is_allowed
):
    refusal = live_change(
        BLUE,
        holding(),
        after,
        share=share,
        wanted_share=wanted_share,
        is_allowed=is_allowed,
    )

    assert refusal is None


def retention(now, *, hours=24.0, idle_since=SWITCHED_AT):
    return judge_retention(BLUE, "1.0", idle_since=idle_since, now=now, retention_hours=hours)


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


@pytest.mark.parametrize("seconds", [-5, 0, 5])
def test_without_retention_nothing_is_kept_even_by_a_clock_that_is_late(seconds):
    assert retention(SWITCHED_AT + timedelta(seconds=seconds), hours=0) is None


def test_a_color_that_was_never_switched_from_is_not_kept():
    assert retention(SWITCHED_AT, idle_since=None) is None


def test_the_end_of_retention_is_told_in_utc_wherever_the_clock_stands():
    east = SWITCHED_AT.astimezone(timezone(timedelta(hours=9)))

    assert retention(SWITCHED_AT, idle_since=east) == retention(SWITCHED_AT)
