"""Hooks that misbehave, on the real engine: none passes as success, none holds the others up."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.pulumi_stack import PulumiStack

PROGRAM = Path(__file__).parent / "programs" / "hooks"


@pytest.fixture(scope="module")
def stack() -> Iterator[PulumiStack]:
    with tempfile.TemporaryDirectory(prefix="bg-") as directory:
        yield PulumiStack(Path(directory), main=PROGRAM)


@pytest.fixture(autouse=True)
def a_thing(stack: PulumiStack) -> None:
    """The thing exists, and the next update would change it."""
    for key, value in {
        "behavior": "pass",
        "value": "before",
        "count": None,
        "timeout_seconds": None,
        "in_preview": None,
        "ignore_errors": None,
    }.items():
        stack.configure(key, value)
    result = stack.up()
    assert result.ok, result
    stack.configure("value", "after")


@pytest.mark.parametrize(
    ("behavior", "text"),
    [
        ("empty", "RuntimeError"),
        ("assert", "AssertionError"),
        ("exit", "SystemExit"),
        ("interrupt", "KeyboardInterrupt"),
        ("refuse", "the value may not be after"),
    ],
)
def test_whatever_a_judgement_raises_stops_the_step(stack: PulumiStack, behavior: str, text: str):
    stack.configure("behavior", behavior)

    result = stack.up()

    assert result.exit_code != 0
    assert text in result.text
    assert result.done == []
    assert stack.outputs() == {"value": "before"}


def test_a_judgement_that_hangs_delays_the_end_by_its_limit_only(stack: PulumiStack):
    stack.configure("behavior", "hang")
    stack.configure("timeout_seconds", 1)

    result = stack.up()

    assert result.exit_code != 0
    assert "no answer within 1 seconds" in result.text
    assert result.done == []
    assert result.seconds < 30


def test_slow_judgements_run_side_by_side(stack: PulumiStack):
    stack.configure("behavior", "slow")
    stack.configure("count", 20)

    result = stack.up()

    assert result.ok, result
    # One after the other they would take 10 seconds on top of what the engine takes.
    assert result.seconds < 10


def test_judgements_do_not_take_the_threads_that_registrations_need(stack: PulumiStack):
    stack.configure("behavior", "slow")
    stack.configure("count", 8)

    # Four threads for the program's own calls; eight hooks in that pool would never end.
    result = stack.up(PULUMI_PARALLEL="1")

    assert result.ok, result


def test_a_judgement_made_for_previews_stops_a_plain_up_before_anything_is_done(
    stack: PulumiStack,
):
    stack.configure("behavior", "refuse")
    stack.configure("in_preview", value=True)

    preview, refused = stack.preview(), stack.up()

    for result in (preview, refused):
        assert result.exit_code != 0
        assert "the value may not be after" in result.text
    assert refused.done == []


def test_a_judgement_not_made_for_previews_does_not_stop_one(stack: PulumiStack):
    stack.configure("behavior", "refuse")

    assert stack.preview().ok


def test_ignored_errors_are_shown_as_warnings(stack: PulumiStack):
    stack.configure("behavior", "refuse")
    stack.configure("ignore_errors", value=True)

    result = stack.up()

    assert result.ok, result
    assert "the value may not be after" in result.text
    assert stack.outputs() == {"value": "after"}
