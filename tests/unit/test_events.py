import dataclasses
import getpass
import json
import os
import socket

import pytest

from bluegreen.events import (
    Event,
    EventKind,
    RecordedVerdict,
    Trigger,
    UnreadableEventError,
    author,
    commit,
    read_event,
    trigger_of,
)


def an_event(**changes):
    defaults = {
        "kind": EventKind.SWITCH,
        "at": "2030-01-02T03:04:05.678+00:00",
        "by": "ann@host",
        "service": "shop",
        "from_split": "100 % blue 1.0",
        "to_split": "100 % green 1.1",
        "releases": {"blue": "1.0", "green": "1.1"},
        "id": "5a1d",
    }
    return Event(**{**defaults, **changes})


def a_verdict(**changes):
    defaults = {
        "gate": "ready",
        "passed": True,
        "reason": "200",
        "value": "200",
        "limit": "200",
        "duration_seconds": 0.25,
        "result": "passed",
    }
    return RecordedVerdict(**{**defaults, **changes})


def test_the_kinds_are_those_that_readers_of_a_journal_know():
    assert list(EventKind) == [
        "switch",
        "not_followed",
        "refusal",
        "live_change",
        "early_retirement",
    ]


def test_an_event_becomes_plain_json_with_everything_in_it():
    event = an_event(
        verdicts=(a_verdict(),),
        reason="outage: nothing answers",
        commit="0a1b",
        stack="shop/prod",
        from_color="blue",
        to_color="green",
        rollback=True,
        trigger=Trigger.OUTAGE,
        permissions={"BLUEGREEN_ROLLBACK": "outage: nothing answers"},
        durations_seconds={"update": 3.5},
    )

    assert json.loads(event.to_json()) == {
        "version": 1,
        "id": "5a1d",
        "kind": "switch",
        "result": "done",
        "at": "2030-01-02T03:04:05.678+00:00",
        "by": "ann@host",
        "service": "shop",
        "stack": "shop/prod",
        "from_split": "100 % blue 1.0",
        "to_split": "100 % green 1.1",
        "from_color": "blue",
        "to_color": "green",
        "releases": {"blue": "1.0", "green": "1.1"},
        "verdicts": [
            {
                "gate": "ready",
                "passed": True,
                "result": "passed",
                "reason": "200",
                "value": "200",
                "limit": "200",
                "duration_seconds": 0.25,
            }
        ],
        "reason": "outage: nothing answers",
        "commit": "0a1b",
        "rollback": True,
        "trigger": "outage",
        "permissions": {"BLUEGREEN_ROLLBACK": "outage: nothing answers"},
        "durations_seconds": {"update": 3.5},
        "details": {},
    }


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        (EventKind.SWITCH, "done"),
        (EventKind.NOT_FOLLOWED, "failed"),
        (EventKind.REFUSAL, "refused"),
        (EventKind.LIVE_CHANGE, "done"),
    ],
)
def test_the_result_goes_with_the_kind(kind, result):
    assert json.loads(an_event(kind=kind).to_json())["result"] == result


def test_two_events_are_told_apart_by_their_id():
    assert an_event(id="a") != an_event(id="b")
    first, second = (dataclasses.replace(an_event()) for _ in range(2))
    assert first == second
    values = {field: getattr(first, field) for field in ("at", "by", "service")}
    rest = {"from_split": "", "to_split": "", "releases": {}, "kind": EventKind.SWITCH}
    assert Event(**values, **rest).id != Event(**values, **rest).id


def test_what_was_written_is_read_again():
    event = an_event(
        kind=EventKind.REFUSAL,
        verdicts=(a_verdict(passed=False, reason="503", value="503", result="refused"),),
        to_color="green",
        releases={"green": "1.1"},
    )

    assert read_event(event.to_json()) == event


def test_an_entry_of_the_first_version_is_still_read():
    line = (
        '{"at": "2026-01-02T03:04:05.678+00:00", "by": "ann@host", "commit": "0a1b", "details": {},'
        ' "from_split": "blue", "kind": "switch", "reason": "", "releases": {"blue": "1.0"},'
        ' "service": "shop", "to_split": "100 % green 1.1", "verdicts":'
        ' ["capacity: passed: 2 of 2: all", "ready: warning: slow", "smoke: refused: no"]}'
    )

    event = read_event(line)

    assert (event.version, event.kind, event.by) == (0, "switch", "ann@host")
    assert [(each.gate, each.passed, each.reason) for each in event.verdicts] == [
        ("capacity", True, "2 of 2: all"),
        ("ready", True, "slow"),
        ("smoke", False, "no"),
    ]
    assert str(event.verdicts[0]) == "capacity: passed: 2 of 2: all"
    assert event.id == read_event(line).id


def test_keys_that_a_later_program_or_a_platform_added_are_left_alone():
    entry = json.loads(an_event().to_json()) | {"user": "ann@host", "weather": "fine"}

    assert read_event(json.dumps(entry)) == an_event()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"kind": ', "is no JSON"),
        ("[]", "is no JSON object"),
        ("{}", "is no entry of an audit trail: kind: field required"),
        ('{"version": 2}', "has version 2, this program reads up to 1"),
        ('{"version": "x"}', "has version x"),
        (json.dumps({"kind": "party"}), "kind: input should be"),
        (an_event(at="yesterday").to_json(), "at: 'yesterday' is no moment with its zone"),
        (an_event(at="2030-01-02T03:04:05").to_json(), "is no moment with its zone"),
        (an_event(at="9999-12-31T23:59:59-14:00").to_json(), "is no moment with its zone"),
    ],
)
def test_a_line_that_is_no_entry_says_what_it_is(line, why):
    with pytest.raises(UnreadableEventError, match=why):
        read_event(line)


@pytest.mark.parametrize(
    ("reason", "trigger"),
    [
        ("outage", "outage"),
        ("Error spike: 5xx at 12 %", "error_spike"),
        ("error-spike, since 12:00", "error_spike"),
        ("performance; p95", "performance"),
        ("data corruption: orders", "data_corruption"),
        ("logic_bug: prices", "logic_bug"),
        ("bake: 3 of 50 requests failed (6.0%, limit 1.0%)", "error_spike"),
        ("bake: p95 is 0.900 s (limit 0.5 s)", "performance"),
        ("bake: bread", None),
        ("an outage of the database", None),
        ("figures", None),
        ("", None),
    ],
)
def test_a_reason_has_a_class_when_it_begins_with_one(reason, trigger):
    assert trigger_of(reason) == trigger


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\u2028", "\x85", "\x00"])
def test_an_event_is_one_line_whatever_somebody_gave_as_a_reason(break_):
    line = an_event(reason=f"one{break_}two").to_json()

    assert line.splitlines() == [line]
    assert line.isprintable()
    assert json.loads(line)["reason"] == f"one{break_}two"


def test_the_same_event_is_always_the_same_text():
    turned = an_event(releases={"green": "1.1", "blue": "1.0"})

    assert turned.to_json() == an_event().to_json()


def test_an_event_cannot_be_changed_afterwards():
    with pytest.raises(dataclasses.FrozenInstanceError):
        an_event().reason = "another"


@pytest.mark.parametrize(
    ("environment", "by"),
    [
        ({"BLUEGREEN_BY": "pipeline 7", "USER": "ann"}, "pipeline 7"),
        ({"BLUEGREEN_BY": "", "USER": "ann"}, f"ann@{socket.gethostname()}"),
        ({"LOGNAME": "bob", "USER": "ann"}, f"bob@{socket.gethostname()}"),
    ],
)
def test_the_author_is_who_the_pipeline_says_or_the_user_of_this_machine(environment, by):
    assert author(environment) == by


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"BLUEGREEN_COMMIT": "ours", "GITHUB_SHA": "theirs"}, "ours"),
        ({"BLUEGREEN_COMMIT": "", "GITHUB_SHA": "theirs"}, "theirs"),
        ({"CI_COMMIT_SHA": "theirs"}, "theirs"),
        ({}, ""),
    ],
)
def test_the_commit_is_what_the_environment_says_or_nothing(environment, found):
    assert commit(environment) == found


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found"), OSError("No username")])
def test_a_user_that_the_machine_has_no_name_for_is_a_number(monkeypatch, error):
    def getuser():
        raise error

    monkeypatch.setattr(getpass, "getuser", getuser)

    assert author({}) == f"uid {os.getuid()}@{socket.gethostname()}"
