"""What holds up a move of traffic to another color although that one may be fine."""

import pytest

from bluegreen.contract import OverrideVariable
from bluegreen.errors import RolloutError
from bluegreen.gate_hooks.router_gate import RouterGate
from tests.unit.fake_update import (
    BLUE,
    GREEN,
    FakeDataPlane,
    FakeGate,
    MemoryJournal,
    a_call,
    a_preview,
    an_update,
    live,
    route_properties,
)

PREVIEW_OR_UP = [pytest.param(a_preview, id="preview"), pytest.param(a_call, id="up")]
in_preview_and_in_up = pytest.mark.parametrize("make_call", PREVIEW_OR_UP)

CLOSED = {"windows": {"freeze": [{"first": "2001-01-01", "last": "2101-01-01", "reason": "audit"}]}}
TO_GREEN = {"active_color": "green"}


def ask(update, make_call=a_call, *, recorded):
    call = make_call(route_properties(recorded))
    RouterGate(update)(call)
    return call


@in_preview_and_in_up
def test_a_switch_within_a_freeze_is_refused_before_any_gate(make_call):
    gate, journal = FakeGate(), MemoryJournal()
    update = an_update(
        FakeDataPlane(live(BLUE)), gates=[gate], journal=journal, service=CLOSED, **TO_GREEN
    )

    with pytest.raises(RolloutError) as caught:
        ask(update, make_call, recorded=live(BLUE))

    text = str(caught.value)
    assert "within the freeze from 2001-01-01 to 2101-01-01 (audit)" in text
    assert "production traffic has not been moved" in text
    assert "BLUEGREEN_OVERRIDE_WINDOW='why'" in text
    assert "BLUEGREEN_ROLLBACK='green:why'" in text
    assert gate.subjects == []
    assert journal.kinds == (["refusal"] if make_call is a_call else [])


@in_preview_and_in_up
def test_a_reason_lifts_it_and_is_told(make_call):
    gate = FakeGate()
    plane = FakeDataPlane(live(BLUE))
    update = an_update(
        plane, gates=[gate], service=CLOSED, override_window="the audit is over", **TO_GREEN
    )

    call = ask(update, make_call, recorded=live(BLUE))

    assert any("switched all the same: the audit is over" in each for each in call.warned)
    assert update.used == {OverrideVariable.OVERRIDE_WINDOW}
    assert gate.colors == [GREEN]


def test_the_reason_is_in_the_event():
    journal = MemoryJournal()
    gate = FakeGate(passed=False)
    plane = FakeDataPlane(live(BLUE))
    update = an_update(
        plane, gates=[gate], journal=journal, service=CLOSED, override_window="now", **TO_GREEN
    )

    with pytest.raises(RolloutError):
        ask(update, recorded=live(BLUE))

    assert journal.events[0].permissions == {"BLUEGREEN_OVERRIDE_WINDOW": "now"}


def test_a_reason_that_was_not_needed_is_not_used():
    update = an_update(FakeDataPlane(live(BLUE)), override_window="now", **TO_GREEN)

    ask(update, recorded=live(BLUE))

    assert update.used == set()


@pytest.mark.parametrize(
    ("data_plane", "recorded", "config"),
    [
        pytest.param(FakeDataPlane(live(GREEN)), live(GREEN), {"rollback": BLUE}, id="rollback"),
        pytest.param(FakeDataPlane(None), None, {}, id="first deployment"),
        pytest.param(FakeDataPlane(live(GREEN)), live(BLUE), {}, id="repair"),
        pytest.param(FakeDataPlane(live(BLUE, 10)), live(BLUE, 10), {}, id="canary ends"),
        pytest.param(FakeDataPlane(live(BLUE)), live(GREEN), {}, id="killed after its write"),
        pytest.param(FakeDataPlane(live(BLUE)), live(BLUE), {}, id="nothing moves"),
    ],
)
def test_what_is_no_move_to_another_color_is_not_held_up(data_plane, recorded, config):
    update = an_update(data_plane, gates=[FakeGate()], service=CLOSED, **config)

    ask(update, recorded=recorded)


def test_a_canary_is_a_move_to_another_color():
    canary = {"color": "green", "percent": 10}
    update = an_update(FakeDataPlane(live(BLUE)), service=CLOSED, canary=canary)

    with pytest.raises(RolloutError, match="freeze"):
        ask(update, recorded=live(BLUE))
