from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.traffic import Route, TrafficSplit
from bluegreen.transition import (
    FleetState,
    Situation,
    fleet_change,
    judge_live_change,
    judge_retention,
    judge_transition,
)
from tests.unit.strategies import colors, routes, splits

given_any = settings(deadline=None, max_examples=200)

no_or_any_split = st.none() | splits
no_or_any_route = st.none() | routes
states = st.builds(
    FleetState,
    release=st.sampled_from(["1.0", "1.1"]),
    fingerprint=st.sampled_from(["one", "two"]),
    replicas=st.integers(0, 5),
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@given_any
@given(routes, no_or_any_route, st.booleans())
def test_where_nothing_is_live_it_is_the_first_deployment(wanted, recorded, is_rollback):
    transition = judge_transition(
        wanted=wanted, recorded=recorded, live=None, is_rollback=is_rollback
    )

    assert transition.situation is Situation.FIRST
    assert transition.refusal is None
    assert set(transition.rising) == wanted.split.colors


@given_any
@given(routes, no_or_any_route, st.booleans())
def test_where_live_is_what_is_wanted_nothing_rises(wanted, recorded, is_rollback):
    transition = judge_transition(
        wanted=wanted, recorded=recorded, live=wanted.split, is_rollback=is_rollback
    )

    assert transition.situation is Situation.FINISH
    assert transition.refusal is None
    assert transition.rising == ()


@given_any
@given(routes, routes, st.booleans())
def test_where_live_is_what_was_recorded_the_update_proceeds(wanted, recorded, is_rollback):
    transition = judge_transition(
        wanted=wanted, recorded=recorded, live=recorded.split, is_rollback=is_rollback
    )

    same = wanted.split == recorded.split
    assert transition.situation is (Situation.FINISH if same else Situation.PROCEED)
    assert transition.refusal is None


@given_any
@given(routes, no_or_any_route, no_or_any_split, st.booleans())
def test_a_refusal_is_a_conflict_and_a_conflict_is_a_refusal(wanted, recorded, live, is_rollback):
    transition = judge_transition(
        wanted=wanted, recorded=recorded, live=live, is_rollback=is_rollback
    )

    is_conflict = transition.situation is Situation.CONFLICT
    assert (transition.refusal is not None) == is_conflict
    assert is_conflict <= (live not in {None, wanted.split, recorded and recorded.split})


@given_any
@given(routes, no_or_any_route, splits, st.booleans())
def test_a_color_whose_share_falls_or_stays_never_rises(wanted, recorded, live, is_rollback):
    rising = judge_transition(
        wanted=wanted, recorded=recorded, live=live, is_rollback=is_rollback
    ).rising

    assert set(rising) == {
        color for color in Color if wanted.split.share_of(color) > live.share_of(color)
    }


@given_any
@given(routes, no_or_any_route, no_or_any_split)
def test_a_rollback_is_never_refused_because_of_drift(wanted, recorded, live):
    transition = judge_transition(wanted=wanted, recorded=recorded, live=live, is_rollback=True)

    assert transition.refusal is None


@given_any
@given(routes, splits, splits)
def test_drift_is_repaired_whenever_the_active_color_stays(wanted, recorded_split, live):
    recorded = Route(wanted.active, recorded_split)

    assert judge_transition(wanted=wanted, recorded=recorded, live=live).refusal is None


@given_any
@given(routes, no_or_any_route, splits)
def test_each_way_out_that_a_conflict_offers_is_one(wanted, recorded, live):
    transition = judge_transition(wanted=wanted, recorded=recorded, live=live)
    if transition.refusal is None:
        return

    if recorded is None:
        taken_over = Route(wanted.active, live)
        again = [judge_transition(wanted=taken_over, recorded=None, live=live)]
    else:
        refreshed = Route(recorded.active, live)
        set_back = Route(recorded.active, TrafficSplit.all_to(recorded.active))
        again = [
            judge_transition(wanted=wanted, recorded=refreshed, live=live),
            judge_transition(wanted=set_back, recorded=recorded, live=live),
        ]

    assert [other.refusal for other in again] == [None] * len(again)


@given_any
@given(states, states)
def test_a_change_that_ends_no_members_keeps_every_one_of_them_as_it_is(before, after):
    change = fleet_change(before, after)

    if before.replicas > 0:
        is_kept = before.fingerprint == after.fingerprint and after.replicas >= before.replicas
        assert change.ends_members == (not is_kept)
    else:
        assert not change.ends_members


@given_any
@given(colors, states, states, st.integers(0, 100), st.booleans())
def test_a_live_change_is_refused_exactly_when_it_meets_traffic_unallowed(
    color, before, after, share, is_allowed
):
    refusal = judge_live_change(color, before, after, share=share, is_allowed=is_allowed)

    is_change = before.fingerprint != after.fingerprint
    assert (refusal is not None) == (is_change and share > 0 and not is_allowed)


@given_any
@given(moments, st.integers(1, 8760), st.integers(-3600, 8760 * 3600))
def test_a_color_is_kept_exactly_for_its_retention(idle_since, hours, seconds):
    refusal = judge_retention(
        Color.BLUE,
        "1.0",
        idle_since=idle_since,
        now=idle_since + timedelta(seconds=seconds),
        retention_hours=hours,
        reason_to_retire_early=None,
    )

    assert (refusal is not None) == (seconds < hours * 3600)
