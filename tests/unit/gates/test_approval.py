from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from bluegreen.colors import Color
from bluegreen.gates.approval import ApprovalGate
from bluegreen.gates.gate import Deadline
from bluegreen.settings.approval import ApprovalSettings, approve

NOON = datetime(2030, 1, 2, 12, 0, 0, tzinfo=UTC)
GIVEN = approve("shop", Color.GREEN, "1.1", by="ann@host", now=NOON)


def asked(subject, approval=GIVEN, later=timedelta(hours=1), **changes):
    gate = ApprovalGate(approval=approval, now=lambda: NOON + later, **changes)
    return gate.check(subject(service="shop"), Deadline(1))


def test_an_approved_release_passes_and_says_by_whom(a_subject):
    verdict = asked(a_subject)

    assert verdict.passed
    assert verdict.reason == "approved by ann@host at 2030-01-02T12:00:00Z"
    assert verdict.value == "ann@host at 2030-01-02T12:00:00Z"
    assert verdict.limit == "green 1.1, at most 24 hours ago"


def test_without_an_approval_the_command_is_named(a_subject):
    verdict = asked(a_subject, approval=None)

    assert not verdict.passed
    assert verdict.reason == (
        "green 1.1 is not approved: nobody has approved anything; run"
        " `bluegreen approve --color green --release 1.1`"
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (("shop", Color.GREEN, "1.0"), "what is approved is green 1.0"),
        (("shop", Color.BLUE, "1.1"), "what is approved is blue 1.1"),
        (("store", Color.GREEN, "1.1"), "or is one of another service"),
    ],
)
def test_an_approval_of_something_else_does_not_count(a_subject, given, problem):
    verdict = asked(a_subject, approval=approve(*given, by="ann", now=NOON))

    assert not verdict.passed
    assert problem in verdict.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"by": "bob@host"},
        {"at": "2030-01-02T12:30:00Z"},
        {"token": "0" * 32},
    ],
)
def test_an_approval_that_was_changed_by_hand_does_not_count(a_subject, changes):
    changed = ApprovalSettings(**{**GIVEN.model_dump(), **changes})

    verdict = asked(a_subject, approval=changed)

    assert not verdict.passed
    assert "the approval was changed after it was given" in verdict.reason


@pytest.mark.parametrize(
    ("later", "problem"),
    [
        (timedelta(hours=24), ""),
        (timedelta(hours=24, seconds=1), "is older than 24 hours"),
        (timedelta(minutes=-5), ""),
        (timedelta(minutes=-6), "which has not come yet"),
    ],
)
def test_an_approval_counts_for_a_while(a_subject, later, problem):
    verdict = asked(a_subject, later=later)

    assert verdict.passed is (problem == "")
    assert problem in verdict.reason


def test_a_day_that_is_none_does_not_count(a_subject):
    token = approve("shop", Color.GREEN, "1.1", by="ann@host", now=NOON).token
    never = ApprovalSettings(**{**GIVEN.model_dump(), "at": "2030-02-31T12:00:00Z", "token": token})

    assert not asked(a_subject, approval=never).passed


def test_a_rollback_needs_no_approval():
    assert ApprovalGate().is_slow


def test_an_approval_is_a_few_plain_texts_for_the_config():
    written = GIVEN.model_dump(mode="json")

    assert set(written) == {"color", "release", "by", "at", "token"}
    assert ApprovalSettings.model_validate(written) == GIVEN


@pytest.mark.parametrize("change", [{"at": "yesterday"}, {"token": "x"}, {"by": ""}])
def test_what_is_no_approval_is_refused_by_its_key(change):
    with pytest.raises(ValidationError):
        ApprovalSettings.model_validate({**GIVEN.model_dump(), **change})
