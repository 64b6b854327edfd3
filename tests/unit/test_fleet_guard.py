import time
from datetime import UTC, datetime, timedelta

import pytest

from bluegreen.errors import DataPlaneError, RolloutError, UnreadableTrafficError
from bluegreen.gate_hooks import fleet_guard
from bluegreen.gate_hooks.fleet_guard import FleetGuard
from tests.unit.fake_update import (
    BLUE,
    GREEN,
    FakeDataPlane,
    MemoryJournal,
    a_call,
    a_preview,
    an_update,
    live,
    members,
)

PREVIEW_OR_UP = [pytest.param(a_preview, id="preview"), pytest.param(a_call, id="up")]
in_preview_and_in_up = pytest.mark.parametrize("make_call", PREVIEW_OR_UP)

NEW_RELEASE = (members("1.0"), members("1.1"))
STARTED_DIFFERENTLY = (members(), members(fingerprint="other command"))
SHRINK = (members(replicas=3), members(replicas=0))

# Green is active and was just now; blue is the rollback target.
SWITCHED_TO_GREEN = {"active_color": "green"}
RETIRING_BLUE = SWITCHED_TO_GREEN | {"retired": {"color": "blue", "release": "1.0"}}


def hours_ago(hours):
    return datetime.now(UTC) - timedelta(hours=hours)


def guard(update, color=BLUE):
    return FleetGuard(update, color)


def refusal_of(update, call, color=BLUE):
    with pytest.raises(RolloutError) as refused:
        guard(update, color)(call)
    return str(refused.value)


def test_a_color_that_is_created_needs_nobodys_word():
    plane = FakeDataPlane.silent()

    guard(an_update(plane))(a_call(None, members()))

    assert plane.asked == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (members(replicas=2), members(replicas=2)),
        (members(replicas=2), members(replicas=5)),
        (members(replicas=0), members(replicas=2)),
    ],
)
@in_preview_and_in_up
def test_a_change_that_ends_no_member_needs_nobodys_word(make_call, old, new):
    plane, call = FakeDataPlane.silent(), make_call(old, new)

    guard(an_update(plane))(call)

    assert (plane.asked, call.warned) == (["live_route", "release of blue"], [])


@pytest.mark.parametrize("new", [members("1.0"), members("1.0", replicas=5)])
@in_preview_and_in_up
def test_live_members_that_are_ahead_of_the_state_do_not_go_back_without_permission(make_call, new):
    plane = FakeDataPlane(live(BLUE), releases={BLUE: "1.5"})
    call = make_call(members("1.0"), new)

    refusal = refusal_of(an_update(plane), call)
    guard(an_update(plane, allow_live_change=BLUE))(call)

    assert refusal.startswith(
        "shop: blue has 100 % of production traffic and its release would change from 1.5 to 1.0; "
        "nothing was changed"
    )
    assert len(call.warned) == 1


@in_preview_and_in_up
def test_idle_members_that_are_ahead_of_the_state_go_back_without_a_word(make_call):
    plane = FakeDataPlane(live(GREEN), releases={BLUE: "1.5"})
    call = make_call(members("1.0"), members("1.0"))

    guard(an_update(plane, **SWITCHED_TO_GREEN))(call)

    assert call.warned == []


@pytest.mark.parametrize(("old", "new"), [(None, members()), (members(), members(replicas=4))])
def test_whatever_the_change_is_the_update_knows_that_the_color_changes(old, new):
    update = an_update()

    guard(update, GREEN)(a_call(old, new))

    assert update.changing == {GREEN}


@pytest.mark.parametrize(("old", "new"), [NEW_RELEASE, STARTED_DIFFERENTLY, SHRINK])
@pytest.mark.parametrize(
    "error", [DataPlaneError("it is down"), UnreadableTrafficError("it is down")]
)
def test_a_preview_that_cannot_tell_who_has_traffic_warns_and_goes_on(old, new, error):
    plane, call = FakeDataPlane(route=error), a_preview(old, new)

    guard(an_update(plane))(call)

    assert call.warned == [
        "shop: cannot tell whether blue has traffic: it is down; the same in an update would be a "
        "refusal"
    ]
    assert set(plane.asked) == {"live_route"}


@pytest.mark.parametrize(("old", "new"), [NEW_RELEASE, STARTED_DIFFERENTLY, SHRINK])
@pytest.mark.parametrize(
    "error", [DataPlaneError("it is down"), UnreadableTrafficError("it is down")]
)
def test_an_update_that_cannot_tell_who_has_traffic_changes_no_member(old, new, error):
    refusal = refusal_of(an_update(FakeDataPlane(route=error)), a_call(old, new))

    assert refusal == (
        "shop: cannot tell whether blue has traffic: it is down; its members were not changed; "
        "leave blue as it is, run `pulumi up`, and change it after that"
    )


@pytest.mark.parametrize(("old", "new"), [NEW_RELEASE, STARTED_DIFFERENTLY])
@pytest.mark.parametrize(("route", "share"), [(live(BLUE), 100), (live(GREEN, 10), 10)])
@in_preview_and_in_up
def test_the_release_of_a_color_with_traffic_is_protected(make_call, old, new, route, share):
    journal, plane = MemoryJournal(), FakeDataPlane(route)
    config = {"active_color": str(route.active)}
    if share < 100:
        config["canary"] = {"color": "blue", "percent": share}

    refusal = refusal_of(an_update(plane, journal=journal, **config), make_call(old, new))

    assert refusal.startswith(f"shop: blue has {share} % of production traffic and ")
    assert "nothing was changed; deploy to green and switch" in refusal
    assert "sessions of blue" not in plane.asked


def test_a_color_with_traffic_and_no_recorded_members_is_protected_as_well():
    plane = FakeDataPlane(live(BLUE))

    refusal = refusal_of(
        an_update(plane), a_call(members("1.0", replicas=0), members("1.1", replicas=2))
    )

    assert "its release would change from 1.0 to 1.1" in refusal


def test_a_new_release_on_a_color_that_this_update_switches_from_waits_for_the_next_one():
    update = an_update(FakeDataPlane(live(BLUE)), **SWITCHED_TO_GREEN)

    refusal = refusal_of(update, a_preview(*NEW_RELEASE))

    assert "take its traffic away in an update of its own, and deploy to it after that" in refusal


@in_preview_and_in_up
def test_a_color_that_keeps_its_share_does_not_lose_members(make_call):
    update = an_update(FakeDataPlane(live(BLUE)))

    refusal = refusal_of(update, make_call(members(replicas=3), members(replicas=1)))

    assert refusal == (
        "shop: blue has 100 % of production traffic and it would shrink from 3 to 1 members; "
        "nothing was changed; keep them with `pulumi config set --path blue.replicas 3`, or "
        "allow it once with BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'"
    )


SCALED_BY_HAND = {"desired": {BLUE: 5, GREEN: 5}}


@in_preview_and_in_up
@pytest.mark.parametrize("new", [members(replicas=2), members(replicas=3)])
def test_a_color_that_was_made_larger_by_hand_is_not_made_smaller_in_passing(make_call, new):
    update = an_update(FakeDataPlane(live(BLUE), **SCALED_BY_HAND))

    refusal = refusal_of(update, make_call(members(replicas=2), new))

    assert refusal == (
        "shop: blue has 100 % of production traffic and it would shrink from 5 to "
        f"{new['replicas']} members; nothing was changed; keep them with `pulumi config set --path "
        "blue.replicas 5`, or allow it once with BLUEGREEN_ALLOW_LIVE_CHANGE='blue:why'"
    )


@pytest.mark.parametrize(
    ("plane", "color"),
    [
        (FakeDataPlane(live(BLUE), **SCALED_BY_HAND), GREEN),
        (FakeDataPlane(None, **SCALED_BY_HAND), BLUE),
        (FakeDataPlane(DataPlaneError("no answer"), **SCALED_BY_HAND), BLUE),
    ],
    ids=["idle", "first deployment", "nobody can tell"],
)
def test_members_that_serve_nobody_are_as_many_as_the_config_says(plane, color):
    guard(an_update(plane), color)(a_call(members(replicas=2), members(replicas=3)))


def test_what_grows_to_what_was_made_by_hand_needs_nobodys_word():
    update = an_update(FakeDataPlane(live(BLUE), **SCALED_BY_HAND))

    guard(update)(a_call(members(replicas=2), members(replicas=5)))


@pytest.mark.parametrize("percent", [1, 99])
def test_a_canary_with_any_share_does_not_lose_members_either(percent):
    plane = FakeDataPlane(live(BLUE, percent))
    update = an_update(plane, canary={"color": "green", "percent": percent})

    refusal = refusal_of(update, a_call(*SHRINK), GREEN)

    assert f"green has {percent} % of production traffic and it would shrink" in refusal


def test_the_refusal_of_an_update_is_recorded():
    journal = MemoryJournal()

    refusal = refusal_of(
        an_update(FakeDataPlane(live(BLUE)), journal=journal), a_call(*NEW_RELEASE)
    )

    (event,) = journal.events
    assert (event.kind, event.service, event.from_split) == ("refusal", "shop", "blue")
    assert event.to_split == "100 % blue 1.0"
    assert event.reason == refusal


def test_the_refusal_of_a_preview_is_not_recorded():
    journal = MemoryJournal()

    refusal_of(an_update(FakeDataPlane(live(BLUE)), journal=journal), a_preview(*NEW_RELEASE))

    assert journal.events == []


def test_a_journal_that_cannot_be_written_does_not_hide_the_refusal():
    journal = MemoryJournal(error=DataPlaneError("the disk is full"))
    call = a_call(*NEW_RELEASE)

    refusal = refusal_of(an_update(FakeDataPlane(live(BLUE)), journal=journal), call)

    assert "its release would change from 1.0 to 1.1" in refusal
    assert call.warned == ["shop: the disk is full"]


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        (*NEW_RELEASE, "1.1, 3 members"),
        (*STARTED_DIFFERENTLY, "1.0, 3 members"),
        (members(replicas=3), members(replicas=1), "1.0, 1 members"),
    ],
)
def test_a_live_change_that_was_allowed_is_shown_and_recorded(old, new, left):
    journal, call = MemoryJournal(), a_call(old, new)
    update = an_update(FakeDataPlane(live(BLUE)), journal=journal, allow_live_change=BLUE)

    guard(update)(call)

    assert call.warned == [
        f"shop: the live members of blue change from 1.0, 3 members to {left}; allowed once: "
        "hot fix"
    ]
    (event,) = journal.events
    assert (event.kind, event.reason) == ("live_change", "hot fix")
    assert event.from_split == "blue 1.0, 3 members"
    assert event.to_split == f"blue {left}"


def test_the_preview_of_a_live_change_that_was_allowed_shows_it_and_records_nothing():
    journal, call = MemoryJournal(), a_preview(*NEW_RELEASE)

    guard(an_update(FakeDataPlane(live(BLUE)), journal=journal, allow_live_change=BLUE))(call)

    assert len(call.warned) == 1
    assert journal.events == []


def test_the_permission_for_one_color_is_none_for_the_other():
    update = an_update(FakeDataPlane(live(BLUE)), allow_live_change=GREEN)

    assert "has 100 % of production traffic" in refusal_of(update, a_call(*NEW_RELEASE))


def test_a_permission_that_cannot_be_recorded_is_none():
    journal = MemoryJournal(error=DataPlaneError("the disk is full"))
    update = an_update(FakeDataPlane(live(BLUE)), journal=journal, allow_live_change=BLUE)

    with pytest.raises(DataPlaneError, match="the disk is full"):
        guard(update)(a_call(*NEW_RELEASE))


def test_a_permission_that_nobody_needs_is_not_recorded():
    journal, call = MemoryJournal(), a_call(*NEW_RELEASE)
    update = an_update(
        FakeDataPlane(live(GREEN)), journal=journal, allow_live_change=BLUE, **SWITCHED_TO_GREEN
    )

    guard(update)(call)

    assert (journal.events, call.warned) == ([], [])


def test_members_that_are_still_live_when_their_end_comes_are_kept_for_the_next_update():
    plane, journal = FakeDataPlane(live(GREEN, 10)), MemoryJournal()
    update = an_update(plane, journal=journal, retire_early="costs", **RETIRING_BLUE)

    refusal = refusal_of(update, a_call(*SHRINK))

    assert refusal == (
        "shop: blue still has 10 % of production traffic; it was not shrunk; `pulumi up` tries "
        "again"
    )
    assert journal.kinds == ["refusal"]
    assert "sessions of blue" not in plane.asked


def test_what_this_update_switches_from_is_not_to_be_retired_by_it():
    update = an_update(FakeDataPlane(live(BLUE)), **RETIRING_BLUE)

    refusal = refusal_of(update, a_preview(*SHRINK))

    assert refusal == (
        "shop: blue 1.0 is live until this update switches, and must stay able to serve for 24 "
        "hours after that; nothing was changed; switch first, with blue as it is, and take it "
        "down later, or say BLUEGREEN_RETIRE_EARLY='why'"
    )


@pytest.mark.parametrize(
    "changes", [{"retire_early": "costs"}, {"service": {"retention_hours": 0}}]
)
def test_what_this_update_switches_from_may_be_retired_by_it_without_retention(changes):
    journal, call = MemoryJournal(), a_preview(*SHRINK)

    guard(an_update(FakeDataPlane(live(BLUE)), journal=journal, **RETIRING_BLUE, **changes))(call)

    assert (call.warned, journal.events) == ([], [])


@in_preview_and_in_up
def test_an_idle_color_is_not_shrunk_within_its_retention(make_call):
    plane = FakeDataPlane(live(GREEN), switched_at=hours_ago(6))

    refusal = refusal_of(an_update(plane, **RETIRING_BLUE), make_call(*SHRINK))

    assert refusal.startswith("shop: blue 1.0 must stay able to serve until ")
    assert "(18.0 of 24 hours left): it is the rollback target; it was not shrunk" in refusal
    assert "sessions of blue" not in plane.asked


@pytest.mark.parametrize(("make_call", "kinds"), [(a_preview, []), (a_call, ["refusal"])])
def test_a_refusal_for_retention_is_recorded_in_an_update_only(make_call, kinds):
    journal = MemoryJournal()
    plane = FakeDataPlane(live(GREEN), switched_at=hours_ago(6))

    refusal_of(an_update(plane, journal=journal, **RETIRING_BLUE), make_call(*SHRINK))

    assert journal.kinds == kinds


@pytest.mark.parametrize(
    ("make_call", "events"),
    [
        (a_preview, []),
        (a_call, [("early_retirement", "blue 1.0, 3 members", "0 members", "costs")]),
    ],
)
def test_somebody_may_end_retention_early_which_is_recorded_in_an_update(make_call, events):
    journal = MemoryJournal()
    plane = FakeDataPlane(live(GREEN), switched_at=hours_ago(6))

    guard(an_update(plane, journal=journal, retire_early="costs", **RETIRING_BLUE))(
        make_call(*SHRINK)
    )

    assert [
        (event.kind, event.from_split, event.to_split, event.reason) for event in journal.events
    ] == events


@pytest.mark.parametrize(
    ("switched_at", "service"),
    [(hours_ago(25), {}), (None, {}), (hours_ago(0), {"retention_hours": 0})],
    ids=["it is over", "it never began", "there is none"],
)
def test_an_idle_color_is_shrunk_when_no_retention_holds_it(switched_at, service):
    journal, call = MemoryJournal(), a_call(*SHRINK)
    plane = FakeDataPlane(live(GREEN), switched_at=switched_at)

    guard(
        an_update(plane, journal=journal, service=service, retire_early="costs", **RETIRING_BLUE)
    )(call)

    assert (journal.events, call.warned) == ([], [])


@in_preview_and_in_up
def test_a_release_over_the_rollback_target_ends_the_rollback_with_a_warning(make_call):
    journal, call = MemoryJournal(), make_call(*NEW_RELEASE)
    plane = FakeDataPlane(live(GREEN), switched_at=hours_ago(6))

    guard(an_update(plane, journal=journal, retire_early="costs", **SWITCHED_TO_GREEN))(call)

    assert call.warned == ["shop: blue is the rollback target: rollback to 1.0 ends now"]
    assert journal.events == []


def test_a_release_over_what_nobody_would_roll_back_to_is_no_news():
    call = a_call(*NEW_RELEASE)
    plane = FakeDataPlane(live(GREEN), switched_at=hours_ago(25))

    guard(an_update(plane, **SWITCHED_TO_GREEN))(call)

    assert call.warned == []


def test_a_clock_that_cannot_be_read_keeps_the_members():
    plane = FakeDataPlane(live(GREEN), switched_at=DataPlaneError("the flag is damaged"))

    refusal = refusal_of(an_update(plane, **RETIRING_BLUE), a_call(*SHRINK))

    assert refusal == "shop: cannot tell since when a color is idle: the flag is damaged"


@pytest.mark.parametrize(("old", "new"), [SHRINK, NEW_RELEASE])
def test_a_preview_that_cannot_read_the_clock_warns_and_goes_on(old, new):
    journal, call = MemoryJournal(), a_preview(old, new)
    plane = FakeDataPlane(live(GREEN), switched_at=DataPlaneError("the flag is damaged"))

    guard(an_update(plane, journal=journal, **RETIRING_BLUE))(call)

    assert call.warned == [
        "shop: cannot tell since when a color is idle: the flag is damaged; the same in an update "
        "would be a refusal"
    ]
    assert journal.kinds == []


@pytest.mark.parametrize(
    "plane",
    [
        FakeDataPlane.silent(),
        FakeDataPlane(live(GREEN), switched_at=DataPlaneError("the flag is damaged")),
        FakeDataPlane(live(GREEN), sessions_left=(DataPlaneError("it is down"),)),
    ],
    ids=["who has traffic", "since when it is idle", "what it works on"],
)
def test_an_update_that_cannot_tell_something_records_its_refusal(plane):
    journal = MemoryJournal()

    refusal = refusal_of(an_update(plane, journal=journal, **RETIRING_BLUE), a_call(*SHRINK))

    assert [(event.kind, event.reason) for event in journal.events] == [("refusal", refusal)]


def test_a_color_without_members_has_nothing_to_keep_and_nothing_to_drain():
    call = a_call(members("1.0", replicas=0), members("1.1", replicas=2))
    plane = FakeDataPlane(live(GREEN), switched_at=hours_ago(6), sessions_left=(7,))

    guard(an_update(plane, **SWITCHED_TO_GREEN))(call)

    assert plane.asked == ["live_route"]
    assert call.warned == []


def test_before_the_first_switch_nobody_has_a_share():
    plane = FakeDataPlane(route=None)

    guard(an_update(plane))(a_call(*NEW_RELEASE))

    assert plane.asked == ["live_route", "live_route", "last_switch", "sessions of blue"]


def drained(plane, *, make_call=a_call, seconds=60.0, change=SHRINK):
    """How long the guard took, and what it said."""
    call = make_call(*change)
    update = an_update(plane, service={"drain": {"timeout_seconds": seconds}}, **RETIRING_BLUE)
    started = time.monotonic()
    guard(update)(call)
    return time.monotonic() - started, call


@pytest.mark.parametrize("change", [SHRINK, NEW_RELEASE, STARTED_DIFFERENTLY])
def test_members_end_when_they_work_on_nothing_any_more(change):
    plane = FakeDataPlane(live(GREEN), sessions_left=(3, 2, 1, 0))

    took, call = drained(plane, change=change)

    assert plane.asked.count("sessions of blue") == 4
    assert took < 5
    assert call.warned == []


def test_members_that_work_on_nothing_are_not_waited_for():
    took, call = drained(FakeDataPlane(live(GREEN), sessions_left=(0,)))

    assert took < 10
    assert call.warned == []


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_drain_ends_in_time_and_counts_what_is_left(seconds):
    took, call = drained(FakeDataPlane(live(GREEN), sessions_left=(9, 7)), seconds=seconds)

    assert seconds <= took < seconds + 2
    left = 7 if seconds else 9
    assert call.warned == [
        f"shop: blue still works on {left} requests after {seconds:g} seconds; its members are "
        "ended all the same"
    ]


def test_a_long_drain_says_now_and_then_what_it_waits_for(monkeypatch):
    monkeypatch.setattr(fleet_guard, "_PROGRESS_SECONDS", 0.2)

    _, call = drained(FakeDataPlane(live(GREEN), sessions_left=(4,)), seconds=0.9)

    assert 2 <= len(call.shown) <= 4
    assert set(call.shown) == {"shop: blue drains: 4 requests left"}


def test_a_short_drain_says_nothing_while_it_waits():
    _, call = drained(FakeDataPlane(live(GREEN), sessions_left=(4, 3, 0)))

    assert call.shown == []


def test_a_drain_that_cannot_be_watched_ends_no_member():
    plane = FakeDataPlane(live(GREEN), sessions_left=(3, DataPlaneError("it is down")))

    refusal = refusal_of(an_update(plane, **RETIRING_BLUE), a_call(*SHRINK))

    assert refusal == (
        "shop: cannot tell what blue still works on: it is down; its members were not changed; "
        "`pulumi up` tries again"
    )


@pytest.mark.parametrize(
    ("seconds_ago", "at_least", "less_than"),
    [(4.6, 0.3, 4.0), (5.0, 0.0, 3.0), (3600.0, 0.0, 3.0)],
)
def test_where_requests_cannot_be_counted_the_members_get_the_time_since_the_switch(
    seconds_ago, at_least, less_than
):
    switched_at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    plane = FakeDataPlane(live(GREEN), sessions_left=(None,), switched_at=switched_at)
    service = {"drain": {"timeout_seconds": 5}, "retention_hours": 0}
    call = a_call(*SHRINK)
    started = time.monotonic()

    guard(an_update(plane, service=service, **RETIRING_BLUE))(call)

    assert at_least <= time.monotonic() - started < less_than
    assert call.warned == []


def test_where_requests_cannot_be_counted_a_color_that_was_never_live_goes_at_once():
    took, call = drained(FakeDataPlane(live(GREEN), sessions_left=(None,), switched_at=None))

    assert took < 10
    assert call.warned == []


def test_a_preview_waits_for_nobody():
    plane = FakeDataPlane(live(GREEN), sessions_left=(7,))

    took, _ = drained(plane, make_call=a_preview)

    assert took < 10
    assert "sessions of blue" not in plane.asked
