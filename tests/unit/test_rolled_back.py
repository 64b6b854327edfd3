"""A release that was rolled back is not switched to again because nobody remembers it."""

import json

import pytest

from bluegreen.contract import OverrideVariable
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.events import EventKind
from bluegreen.events.event_file import EventFile
from bluegreen.events.rolled_back import rolled_back
from tests.unit.fake_update import (
    BLUE,
    GREEN,
    FakeDataPlane,
    FakeGate,
    MemoryJournal,
    an_update,
    live,
)
from tests.unit.test_events import an_event
from tests.unit.test_switch_guard import ask, in_preview_and_in_up


def switch(number, to=GREEN, *, green="1.1", **changes):
    return an_event(
        id=str(number),
        at=f"2030-01-02T03:04:0{number}.000+00:00",
        from_color=to.other,
        to_color=to,
        releases={"blue": "1.0", "green": green},
        **changes,
    )


def rollback(number, to=BLUE, **changes):
    return switch(number, to, rollback=True, reason="error spike", **changes)


def found(*events, color=GREEN, release="1.1", service="shop"):
    return rolled_back(events, service, color, release)


def test_what_was_rolled_back_is_remembered_with_who_and_why():
    assert str(found(switch(1), rollback(2))) == (
        "green 1.1 was rolled back at 2030-01-02T03:04:02.000+00:00 by ann@host: error spike"
    )


@pytest.mark.parametrize(
    "events",
    [
        pytest.param((), id="nothing happened"),
        pytest.param((switch(1),), id="only switched to"),
        pytest.param(
            (switch(1), switch(2, BLUE)), id="switched back without calling it a rollback"
        ),
        pytest.param((rollback(1), switch(2)), id="switched to again since"),
        pytest.param((switch(1, green="1.0"), rollback(2, green="1.0")), id="another release"),
        pytest.param((rollback(1, GREEN),), id="the other color"),
        pytest.param((rollback(1, kind=EventKind.REFUSAL),), id="a refused rollback"),
        pytest.param((rollback(1, service="store"),), id="another service"),
    ],
)
def test_nothing_else_is(events):
    assert found(*events) is None


def test_the_order_of_the_entries_does_not_matter():
    assert found(rollback(2), switch(1), rollback(2)) is not None
    assert found(switch(3), rollback(2), switch(1)) is None


def update(journal=None, **changes):
    journal = journal or MemoryJournal([switch(1), rollback(2)])
    return an_update(
        FakeDataPlane(live(BLUE)),
        gates=[FakeGate()],
        journal=journal,
        active_color="green",
        **changes,
    )


@in_preview_and_in_up
def test_a_switch_to_it_is_refused_until_somebody_acknowledges(make_call):
    with pytest.raises(RolloutError) as caught:
        ask(update(), make_call, recorded=live(BLUE))

    assert str(caught.value).endswith(
        "production traffic has not been moved; deploy another release to green, or say "
        "BLUEGREEN_ACKNOWLEDGE='1.1:why'"
    )


@in_preview_and_in_up
def test_an_acknowledgement_of_that_release_lifts_it(make_call):
    asked = update(acknowledge="1.1")

    call = ask(asked, make_call, recorded=live(BLUE))

    assert any("switched all the same: it was the database" in each for each in call.warned)
    assert asked.used == {OverrideVariable.ACKNOWLEDGE}


def test_an_acknowledgement_of_another_release_does_not():
    with pytest.raises(RolloutError, match="was rolled back"):
        ask(update(acknowledge="1.0"), recorded=live(BLUE))


def test_another_release_in_that_color_needs_none():
    ask(update(green={"release": "1.2"}), recorded=live(BLUE))


def test_a_trail_that_cannot_be_read_is_a_warning():
    class Damaged(MemoryJournal):
        def recent(self):
            raise DataPlaneError("the disk is gone")

    call = ask(update(Damaged()), recorded=live(BLUE))

    assert "shop: cannot tell whether green 1.1 was rolled back: the disk is gone" in call.warned


def test_a_file_beside_the_trail_is_asked_too(tmp_path):
    file = EventFile(tmp_path / "told.jsonl")
    file.record(switch(1))
    file.record(rollback(2))
    asked = update(MemoryJournal())
    asked.deliveries = [file]

    with pytest.raises(RolloutError, match="was rolled back"):
        ask(asked, recorded=live(BLUE))


def test_a_file_gives_what_can_be_read_of_it(tmp_path):
    path = tmp_path / "told.jsonl"
    later = json.dumps({"version": 99})
    path.write_text(f'{{"cut": \n{switch(1).to_json()}\n{later}\n{rollback(2).to_json()}')

    assert EventFile(path).recent() == [switch(1), rollback(2)]
    assert EventFile(tmp_path / "none").recent() == ()
    with pytest.raises(DataPlaneError, match="cannot be read"):
        EventFile(tmp_path).recent()


def test_only_the_end_of_a_long_file_is_read(tmp_path):
    path = tmp_path / "told.jsonl"
    long = switch(1, reason="x" * 1000).to_json() + "\n"
    path.write_text(long * 3000 + rollback(2).to_json() + "\n")

    events = EventFile(path).recent()

    assert 500 < len(events) < 1100
    assert events[-1] == rollback(2)
