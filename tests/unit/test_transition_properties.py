from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.traffic import Route, TrafficSplit, UnreadableTraffic
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

no_or_any_route = st.none() | routes
unreadable = st.builds(UnreadableTraffic, st.text(min_size=1))
anything_live = st.none() | routes | unreadable
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
@given(routes, no_or_any_route, colors, st.booleans())
def test_where_live_is_what_is_wanted_nothing_rises(wanted, recorded, live_active, is_rollback):
    transition = judge_transition(
        wanted=wanted,
        recorded=recorded,
        live=Route(live_active, wanted.split),
        is_rollback=is_rollback,
    )

    assert transition.situation is Situation.FINISH
    assert transition.refusal is None
    assert transition.rising == ()


@given_any
@given(routes, routes, colors, st.booleans())
def test_where_live_is_what_was_recorded_the_update_proceeds(
    wanted, recorded, live_active, is_rollback
):
    transition = judge_transition(
        wanted=wanted,
        recorded=recorded,
        live=Route(live_active, recorded.split),
        is_rollback=is_rollback,
    )

    same = wanted.split == recorded.split
    assert transition.situation is (Situation.FINISH if same else Situation.PROCEED)
    assert transition.refusal is None


@given_any
@given(routes, no_or_any_route, anything_live, st.booleans())
def test_a_refusal_is_a_conflict_and_a_conflict_is_a_refusal(wanted, recorded, live, is_rollback):
    transition = judge_transition(
        wanted=wanted, recorded=recorded, live=live, is_rollback=is_rollback
    )

    is_conflict = transition.situation is Situation.CONFLICT
    assert (transition.refusal is not None) == is_conflict
    live_split = live.split if isinstance(live, Route) else live
    assert is_conflict <= (live_split not in {None, wanted.split, recorded and recorded.split})


@given_any
@given(routes, no_or_any_route, routes, st.booleans())
def test_a_color_whose_share_falls_or_stays_never_rises(wanted, recorded, live, is_rollback):
    rising = judge_transition(
        wanted=wanted, recorded=recorded, live=live, is_rollback=is_rollback
    ).rising

    assert set(rising) == {
        color for color in Color if wanted.split.share_of(color) > live.split.share_of(color)
    }


@given_any
@given(routes, no_or_any_route, unreadable, st.booleans())
def test_unreadable_traffic_is_never_taken_for_what_is_wanted_or_recorded(
    wanted, recorded, live, is_rollback
):
    transition = judge_transition(
        wanted=wanted, recorded=recorded, live=live, is_rollback=is_rollback
    )

    assert set(transition.rising) == wanted.split.colors
    may_be_repaired = is_rollback or (recorded is not None and recorded.active is wanted.active)
    assert transition.situation is (Situation.REPAIR if may_be_repaired else Situation.CONFLICT)


@given_any
@given(routes, no_or_any_route, anything_live)
def test_a_rollback_is_never_refused_because_of_drift(wanted, recorded, live):
    transition = judge_transition(wanted=wanted, recorded=recorded, live=live, is_rollback=True)

    assert transition.refusal is None


@given_any
@given(routes, splits, anything_live)
def test_drift_is_repaired_whenever_the_active_color_stays(wanted, recorded_split, live):
    recorded = Route(wanted.active, recorded_split)

    assert judge_transition(wanted=wanted, recorded=recorded, live=live).refusal is None


@given_any
@given(routes, no_or_any_route, routes | unreadable)
def test_each_way_out_that_a_conflict_offers_is_one(wanted, recorded, live):
    transition = judge_transition(wanted=wanted, recorded=recorded, live=live)
    if transition.refusal is None:
        return

    def after(wanted=wanted, recorded=recorded, live=live):
        return judge_transition(wanted=wanted, recorded=recorded, live=live).refusal

    ways_out = {}
    if recorded is not None:
        set_back = Route(recorded.active, TrafficSplit.all_to(recorded.active))
        ways_out[f"`pulumi config set active_color {recorded.active}`"] = after(wanted=set_back)
        if isinstance(live, Route):
            ways_out["`pulumi refresh`"] = after(recorded=live)
    elif isinstance(live, Route):
        taken_over = Route(wanted.active, live.split)
        ways_out["set active_color and canary to what is live"] = after(wanted=taken_over)
    else:
        ways_out["take out of the router"] = after(live=None)

    assert [way for way in ways_out if way not in transition.refusal] == []
    assert ways_out == dict.fromkeys(ways_out)


@given_any
@given(routes, no_or_any_route, st.builds(UnreadableTraffic, st.just("gibberish")))
def test_a_conflict_about_unreadable_traffic_does_not_offer_to_take_it_over(wanted, recorded, live):
    refusal = judge_transition(wanted=wanted, recorded=recorded, live=live).refusal

    assert refusal is None or ("refresh" not in refusal and "canary" not in refusal)


@given_any
@given(states, states)
def test_a_change_of_nothing_keeps_every_member_as_it_is(before, after):
    change = fleet_change(before, after)

    is_kept = before.fingerprint == after.fingerprint and after.replicas >= before.replicas
    assert change.is_nothing == is_kept


@given_any
@given(states)
def test_a_color_that_did_not_exist_loses_nothing(after):
    assert fleet_change(None, after).is_nothing


@given_any
@given(colors, states, states, st.integers(0, 100), st.integers(0, 100), st.booleans())
def test_a_live_change_is_refused_exactly_when_it_meets_traffic_unallowed(
    color, before, after, share, wanted_share, is_allowed
):
    refusal = judge_live_change(
        color, before, after, share=share, wanted_share=wanted_share, is_allowed=is_allowed
    )

    is_new_release = before.fingerprint != after.fingerprint
    is_shrink_of_what_stays = after.replicas < before.replicas and wanted_share > 0
    is_change = is_new_release or is_shrink_of_what_stays
    assert (refusal is not None) == (is_change and share > 0 and not is_allowed)


@given_any
@given(colors, states, states, st.integers(1, 100), st.integers(0, 100))
def test_a_refused_live_change_gives_exactly_one_advice(color, before, after, share, wanted_share):
    refusal = judge_live_change(
        color, before, after, share=share, wanted_share=wanted_share, is_allowed=False
    )
    advices = {
        "deploy to it after that": wanted_share == 0,
        f"deploy to {color.other} and switch": wanted_share > 0
        and before.fingerprint != after.fingerprint,
        "keep them with `pulumi config set": wanted_share > 0
        and before.fingerprint == after.fingerprint,
    }

    given_advices = {advice for advice in advices if refusal is not None and advice in refusal}
    fitting = {advice for advice, fits in advices.items() if fits}
    assert given_advices == (set() if refusal is None else fitting)


@given_any
@given(moments, st.integers(1, 8760), st.integers(-3600, 8760 * 3600))
def test_a_color_is_kept_exactly_for_its_retention(idle_since, hours, seconds):
    refusal = judge_retention(
        Color.BLUE,
        "1.0",
        idle_since=idle_since,
        now=idle_since + timedelta(seconds=seconds),
        retention_hours=hours,
    )

    assert (refusal is not None) == (seconds < hours * 3600)
