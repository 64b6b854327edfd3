"""Which color had production when, by history and events."""

from dataclasses import replace

from bluegreen.events import EventKind
from bluegreen.operations.timeline import canaries_of, deployed_of, periods_of
from tests.unit.operations.test_history import (
    REFUSED,
    a_rollback,
    a_switch,
    an_update,
    at,
    attempts,
)


def periods(updates=(), events=()):
    """Oldest first goes in."""
    found = periods_of(attempts(updates, events), list(reversed(updates)), "shop")
    return [(each.color, each.release, each.begin, each.end) for each in found]


def deployed(*updates):
    found = deployed_of(list(reversed(updates)), "shop")
    return [(each.at, each.color, each.release) for each in found]


def canaries(*updates):
    found = canaries_of(list(reversed(updates)), "shop")
    return [(each.color, each.release, each.percent, each.at, each.end) for each in found]


def a_canary(minute, percent, color="green", *, active="blue", **changes):
    update = an_update(minute, active, **changes)
    return replace(
        update, config={**update.config, "shop:canary": {"color": color, "percent": percent}}
    )


def test_a_canary_lasts_until_its_share_changes_or_its_color_has_production():
    assert canaries(
        an_update(0, "blue"),
        a_canary(10, 5),
        a_canary(20, 5),
        a_canary(30, 25),
        an_update(40, "green"),
        a_canary(50, 10, "blue", active="green"),
    ) == [
        ("green", "1.1", 5, at(10, 30), at(30, 30)),
        ("green", "1.1", 25, at(30, 30), at(40, 30)),
        ("blue", "1.0", 10, at(50, 30), None),
    ]


def test_another_release_of_a_canary_is_another_one():
    assert canaries(a_canary(0, 5), a_canary(10, 5, green="1.2")) == [
        ("green", "1.1", 5, at(0, 30), at(10, 30)),
        ("green", "1.2", 5, at(10, 30), None),
    ]


def test_only_an_update_that_succeeds_gives_a_share_and_a_removal_takes_it():
    assert canaries(
        a_canary(0, 5, result="failed"),
        a_canary(10, 5),
        a_canary(20, 0, result="failed"),
        a_canary(30, 5, kind="destroy"),
    ) == [("green", "1.1", 5, at(10, 30), at(30, 30))]
    # A canary of the color with production is none.
    assert canaries(a_canary(0, 5, "blue")) == []


def test_a_color_has_production_until_the_other_one_gets_it():
    updates = [
        an_update(0, "blue", green="1.0"),
        an_update(10, "blue"),
        an_update(20, "green"),
        an_update(30, "blue", result="failed"),
        an_update(40, "blue"),
    ]

    assert periods(updates) == [
        ("blue", "1.0", at(0, 30), at(20, 30)),
        ("green", "1.1", at(20, 30), at(40, 30)),
        ("blue", "1.0", at(40, 30), None),
    ]


def test_an_event_says_when_traffic_moved_and_the_update_adds_nothing():
    updates = [an_update(0, "blue"), an_update(10, "green"), an_update(20, "blue")]
    events = [a_switch(10, "green"), a_rollback(20)]

    assert periods(updates, events) == [
        ("blue", "1.0", at(0, 30), at(10, 20)),
        ("green", "1.1", at(10, 20), at(20, 20)),
        ("blue", "1.0", at(20, 20), None),
    ]


def test_what_was_refused_or_did_not_follow_moved_nothing():
    refusal = a_switch(10, "green", kind=EventKind.REFUSAL, verdicts=REFUSED)
    not_followed = a_switch(20, "green", kind=EventKind.NOT_FOLLOWED)

    assert periods([an_update(0, "blue")], [refusal, not_followed]) == [
        ("blue", "1.0", at(0, 30), None)
    ]


def test_another_release_on_the_color_with_production_begins_a_new_period():
    updates = [an_update(0, "green"), an_update(10, "green", green="1.2")]

    assert periods(updates) == [
        ("green", "1.1", at(0, 30), at(10, 30)),
        ("green", "1.2", at(10, 30), None),
    ]


def test_nobody_has_production_between_a_removal_and_the_next_deployment():
    updates = [
        an_update(0, "blue"),
        an_update(10, "blue", kind="destroy"),
        an_update(20, "green"),
    ]

    assert periods(updates) == [
        ("blue", "1.0", at(0, 30), at(10, 30)),
        ("green", "1.1", at(20, 30), None),
    ]
    # It is the first deployment of what is there now, and no switch.
    assert attempts(updates) == ()


def test_of_events_alone_nothing_is_known_before_the_first():
    assert periods(events=[a_switch(10, "green"), a_rollback(20)]) == [
        ("green", "1.1", at(10, 20), at(20, 20)),
        ("blue", "1.0", at(20, 20), None),
    ]
    assert periods() == []


def test_a_release_comes_to_a_color_with_the_first_update_that_succeeds():
    assert deployed(
        an_update(0, "blue", green="1.0"),
        an_update(10, "blue", result="failed"),
        an_update(20, "blue"),
        an_update(30, "green"),
        an_update(40, "green", kind="refresh", green="1.9"),
        an_update(50, "green", kind="destroy"),
        an_update(60, "green"),
    ) == [
        (at(20, 30), "green", "1.1"),
        (at(60, 30), "blue", "1.0"),
        (at(60, 30), "green", "1.1"),
    ]
