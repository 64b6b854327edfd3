import dataclasses
import getpass
import json
import os
import socket

import pytest

from bluegreen.events import Event, EventKind, author, commit


def an_event(**changes):
    defaults = {
        "kind": EventKind.SWITCH,
        "at": "2030-01-02T03:04:05.678+00:00",
        "by": "ann@host",
        "service": "shop",
        "from_split": "100 % blue 1.0",
        "to_split": "100 % green 1.1",
        "releases": {"blue": "1.0", "green": "1.1"},
    }
    return Event(**{**defaults, **changes})


def test_the_kinds_are_those_that_readers_of_a_journal_know():
    assert list(EventKind) == ["switch", "refusal", "live_change", "early_retirement"]


def test_an_event_becomes_plain_json_with_everything_in_it():
    ready = {"gate": "ready", "result": "passed", "value": "200", "limit": "200", "seconds": 0.2}
    event = an_event(verdicts=(ready,), reason="figures", commit="0a1b", details={"ticket": "7"})

    assert json.loads(event.to_json()) == {
        "kind": "switch",
        "at": "2030-01-02T03:04:05.678+00:00",
        "by": "ann@host",
        "service": "shop",
        "from_split": "100 % blue 1.0",
        "to_split": "100 % green 1.1",
        "releases": {"blue": "1.0", "green": "1.1"},
        "verdicts": [ready],
        "reason": "figures",
        "commit": "0a1b",
        "details": {"ticket": "7"},
    }


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
