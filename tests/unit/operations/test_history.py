"""What a history and its events say about how well releases go."""

from datetime import datetime, timedelta

import pytest

from bluegreen.colors import Color
from bluegreen.events import EventKind, RecordedVerdict
from bluegreen.operations.attempts import Ending, attempts_of
from bluegreen.operations.stack import PastUpdate
from bluegreen.operations.targets import targets_of, triggers_of
from tests.unit.test_events import an_event

NOON = datetime.fromisoformat("2030-01-02T12:00:00+00:00")
REFUSED = (RecordedVerdict("smoke", passed=False, reason="exit 1"),)


def at(minutes, seconds=0):
    moment = NOON + timedelta(minutes=minutes, seconds=seconds)
    return moment.isoformat(timespec="milliseconds")


def an_update(
    minute, active, *, green="1.1", seconds=30, result="succeeded", kind="update", **more
):
    values = {
        "message": "",
        "by": "Ann",
        "commit": "0a1b",
        "config": {
            "shop:active_color": active,
            "shop:blue": {"release": "1.0"},
            "shop:green": {"release": green},
        },
    }
    return PastUpdate(
        kind=kind, result=result, started=at(minute), ended=at(minute, seconds), **(values | more)
    )


def a_switch(minute, to, *, seconds=20, green="1.1", **changes):
    color = Color(to)
    values = {
        "id": f"{minute} {to}",
        "at": at(minute, seconds),
        "from_color": color.other,
        "to_color": color,
        "releases": {"blue": "1.0", "green": green},
        "durations_seconds": {"update": 15.0, "cutover": 0.5},
    }
    return an_event(**(values | changes))


def a_rollback(minute, to="blue", reason="error spike: 5xx at 12 %", **changes):
    return a_switch(minute, to, rollback=True, reason=reason, **changes)


def attempts(updates=(), events=()):
    """Oldest first goes in as well."""
    return attempts_of(list(reversed(updates)), events, "shop")


def figures(updates=(), events=()):
    return {each.name: each for each in targets_of(attempts(updates, events))}


def test_without_events_the_history_alone_tells_the_switches():
    found = attempts(
        [
            an_update(0, "blue", green="1.0"),
            an_update(10, "blue"),
            an_update(20, "green"),
            an_update(30, "green"),
            an_update(40, "blue", result="failed"),
            an_update(50, "blue", message="bluegreen rollback green → blue by ann: outage"),
        ]
    )

    assert [(each.ending, each.is_rollback, each.to_color) for each in found] == [
        (Ending.DONE, False, "green"),
        (Ending.REFUSED, False, "blue"),
        (Ending.DONE, True, "blue"),
    ]
    assert (found[0].release, found[0].by, found[0].commit) == ("1.1", "Ann", "0a1b")
    assert found[0].deployment_seconds == 60
    assert found[2].reason == "outage"
    assert found[2].detection_seconds == 29 * 60 + 30


def test_why_somebody_switched_is_what_the_command_was_given():
    updates = [
        an_update(0, "blue", message="Add the shop: 1.0"),
        an_update(10, "green", message="bluegreen switch blue → green by ann: it is ready"),
        an_update(20, "blue", message="bluegreen switch green → blue by ann", result="failed"),
        an_update(30, "blue", message="Go back: it is Friday"),
    ]

    of_history, of_both = attempts(updates), attempts(updates, [a_switch(10, "green")])

    assert [each.reason for each in of_history] == ["it is ready", "", ""]
    assert of_both[0].reason == "it is ready"


def test_a_config_that_names_no_color_is_no_switch():
    for nonsense in ("purple", ["green"], {"is": "green"}, None):
        updates = [an_update(0, "blue"), an_update(10, nonsense, result="failed")]

        assert attempts(updates) == ()


def test_what_is_no_update_is_no_switch():
    refresh = an_update(10, "green", kind="refresh")

    assert attempts([an_update(0, "blue"), refresh]) == ()


def test_an_event_and_its_update_are_one_switch():
    (found,) = attempts(
        [an_update(0, "blue"), an_update(10, "green")],
        [a_switch(10, "green"), a_switch(10, "green")],
    )

    assert (found.seconds, found.cutover_seconds, found.by) == (30, 0.5, "ann@host")


def test_the_first_deployment_is_no_switch():
    first = a_switch(0, "blue", from_color=None)

    assert attempts([an_update(0, "blue")], [first]) == ()


def test_a_refusal_by_a_guard_says_nothing_about_a_release():
    frozen = a_switch(10, "green", kind=EventKind.REFUSAL, reason="within the freeze")
    updates = [an_update(0, "blue"), an_update(10, "green", result="failed")]

    assert attempts(updates, [frozen]) == ()
    assert [each.ending for each in attempts(updates)] == ["refused"]


def test_a_switch_of_version_0_is_one_too():
    event = a_switch(10, "green", version=0, from_split="blue", from_color=None, to_color=None)

    (found,) = attempts([], [event])

    assert (found.from_color, found.to_color) == ("blue", "green")


def test_without_anything_there_is_no_data():
    assert {name: str(each.verdict) for name, each in figures().items()} == dict.fromkeys(
        ("deployment", "cutover", "success", "detection", "rollback"), "no data"
    )


def test_the_slowest_counts_and_is_held_against_the_target():
    events = [
        a_switch(10, "green", durations_seconds={"update": 9.0, "cutover": 0.5}),
        a_switch(20, "blue", durations_seconds={"update": 9.0, "cutover": 301.0}),
        a_rollback(21, "green", durations_seconds={"update": 119.0, "cutover": 1.0}),
    ]

    found = figures(events=events)

    assert (found["cutover"].value, found["cutover"].verdict) == (301.0, "missed")
    assert (found["rollback"].value, found["rollback"].verdict) == (119.0, "met")
    assert found["cutover"].count == 2


def test_a_deployment_is_the_update_that_deployed_and_the_one_that_switched():
    updates = [
        an_update(0, "blue", green="1.0"),
        an_update(10, "blue", seconds=1700),
        an_update(100, "blue"),
        an_update(200, "green", seconds=99),
    ]

    found = figures(updates)["deployment"]

    assert (found.value, found.verdict) == (1799, "met")
    assert figures([*updates[:3], an_update(200, "green", seconds=101)])["deployment"].verdict == (
        "missed"
    )


def test_a_deployment_before_everything_was_removed_does_not_count():
    updates = [
        an_update(0, "blue", seconds=900),
        an_update(10, "blue", seconds=50, kind="destroy"),
        an_update(20, "blue", seconds=40),
        an_update(30, "green", seconds=2),
    ]

    assert figures(updates)["deployment"].value == 42


def test_detection_is_from_the_switch_to_the_beginning_of_the_rollback():
    found = figures(events=[a_switch(0, "green"), a_rollback(5)])["detection"]

    assert (found.value, found.verdict) == (285.0, "met")
    late = figures(events=[a_switch(0, "green"), a_rollback(11)])["detection"]
    assert (late.value, late.verdict) == (645.0, "missed")


def refusal(minute, to="green", **changes):
    return a_switch(minute, to, kind=EventKind.REFUSAL, verdicts=REFUSED, **changes)


@pytest.mark.parametrize(
    ("events", "percent", "count"),
    [
        pytest.param([a_switch(0, "green"), a_switch(9, "blue")], 100, 2, id="both stayed"),
        pytest.param([a_switch(0, "green"), a_rollback(9)], 0, 1, id="taken back"),
        pytest.param(
            [a_switch(0, "green"), a_rollback(9), a_switch(20, "green")], 50, 2, id="and again"
        ),
        pytest.param(
            [a_switch(0, "green"), refusal(5, "blue", green="1.2"), a_rollback(9)],
            0,
            2,
            id="taken back after another one was refused",
        ),
        pytest.param([refusal(0), refusal(1), refusal(2)], 0, 1, id="refused again and again"),
        pytest.param([refusal(0), refusal(1, green="1.2")], 0, 2, id="two releases refused"),
        pytest.param([refusal(0), a_switch(5, "green")], 50, 2, id="refused, then done"),
        pytest.param(
            [a_switch(0, "green", kind=EventKind.NOT_FOLLOWED), a_switch(1, "green")],
            50,
            2,
            id="not followed at first",
        ),
        pytest.param(
            [a_switch(0, "green"), refusal(1, "blue", rollback=True), a_switch(9, "blue")],
            100,
            2,
            id="a rollback that was refused",
        ),
    ],
)
def test_success_is_the_switches_that_were_done_and_stayed(events, percent, count):
    found = figures(events=events)["success"]

    assert (found.value, found.count) == (percent, count)
    assert found.verdict == ("met" if percent > 95 else "missed")


def test_rollbacks_are_counted_by_the_class_that_their_reason_begins_with():
    events = [
        a_switch(0, "green"),
        a_rollback(4),
        a_switch(10, "green"),
        a_rollback(20, reason="Error spike, again"),
        a_switch(30, "green"),
        a_rollback(31, reason="figures"),
    ]

    found = {each.trigger: each for each in triggers_of(attempts(events=events))}

    assert list(found) == ["outage", "error_spike", "performance", "data_corruption", "logic_bug"]
    spikes = found["error_spike"]
    assert (spikes.expected, spikes.count, spikes.slowest_seconds, spikes.late) == (
        "1-5 min",
        2,
        585.0,
        1,
    )
    assert found["outage"].count == 0
