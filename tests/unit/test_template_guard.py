import pytest

from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.gate_hooks.template_guard import TemplateGuard
from bluegreen.transition import FleetState
from tests.unit.fake_update import (
    BLUE,
    FakeDataPlane,
    MemoryJournal,
    a_call,
    a_preview,
    an_update,
    live,
    members,
)

in_preview_and_in_up = pytest.mark.parametrize("make_call", [a_preview, a_call])
OLD, NEW = members("1.0", replicas=0), members("1.1", replicas=0)


def ask(update, call):
    TemplateGuard(update, BLUE, lambda properties: FleetState(**properties))(call)


def refusal_of(update, call):
    with pytest.raises(RolloutError) as refused:
        ask(update, call)
    return str(refused.value)


@in_preview_and_in_up
def test_the_template_of_members_with_traffic_keeps_its_release(make_call):
    text = refusal_of(an_update(FakeDataPlane(live(BLUE))), make_call(OLD, NEW))

    assert "blue has 100 % of production traffic and its release would change" in text
    assert "nothing was changed" in text


@in_preview_and_in_up
def test_the_template_of_an_idle_color_may_change(make_call):
    ask(an_update(FakeDataPlane(live(BLUE.other))), make_call(OLD, NEW))


def test_a_change_that_makes_no_other_members_is_asked_of_nobody():
    plane = FakeDataPlane.silent()

    ask(an_update(plane), a_call(OLD, members("1.0", replicas=0)))
    ask(an_update(plane), a_call(None, NEW))

    assert plane.asked == []


def test_what_was_allowed_is_recorded_by_the_members_and_not_twice():
    journal = MemoryJournal()
    call = a_call(OLD, NEW)

    ask(an_update(FakeDataPlane(live(BLUE)), journal=journal, allow_live_change=BLUE), call)

    assert journal.events == []
    assert call.warned == []


def test_an_unknown_share_stops_an_update_and_warns_in_a_preview():
    silent = FakeDataPlane(DataPlaneError("nobody answers"))
    preview = a_preview(OLD, NEW)

    ask(an_update(silent), preview)

    assert "the same in an update would be a refusal" in preview.warned[0]
    assert "nobody answers" in refusal_of(an_update(silent), a_call(OLD, NEW))
