"""Who else is told of an event, and that this never stands in an update's way."""

import pytest

from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.events import EventKind
from bluegreen.gate_hooks import deliveries, delivery_problems
from bluegreen.settings import EventsSettings
from tests.unit.fake_update import GREEN, MemoryJournal, a_call, an_update

SOMEWHERE = EventsSettings(file="told.jsonl", webhook={"url_env": "CHAT"})


def told(update):
    update.record(EventKind.SWITCH, before="blue", after="green", reason="")


def test_everybody_is_told_the_same(tmp_path):
    update = an_update()
    copy = MemoryJournal()
    update.deliveries = [copy]

    told(update)

    assert copy.events == update.journal.events
    assert len(copy.events) == 1


def test_who_cannot_be_told_is_a_warning(capsys):
    update = an_update()
    last = MemoryJournal()
    update.deliveries = [MemoryJournal(error=DataPlaneError("the chat is down")), last]

    told(update)

    assert "shop: the chat is down; the update goes on" in capsys.readouterr().err
    assert len(update.journal.events) == len(last.events) == 1


def test_a_trail_that_is_full_does_not_keep_others_from_being_told():
    update = an_update(journal=MemoryJournal(error=DataPlaneError("the disk is full")))
    copy = MemoryJournal()
    update.deliveries = [copy]
    call = a_call()

    with pytest.raises(RolloutError, match="no"):
        update.refuse(call, RolloutError("no"), before="blue")

    assert call.warned == ["shop: the disk is full"]
    assert copy.kinds == ["refusal"]


def test_what_will_not_work_is_known_beforehand(tmp_path):
    away = EventsSettings(file="no/folder/told.jsonl", webhook={"url_env": "CHAT"})

    assert delivery_problems(away, {}, tmp_path) == [
        "service.events.file: there is no folder for no/folder/told.jsonl; events will not get "
        "there",
        "service.events.webhook: the environment variable CHAT is not set; events will not get "
        "there",
    ]
    assert delivery_problems(SOMEWHERE, {"CHAT": "https://chat.example/T0KEN"}, tmp_path) == []
    assert delivery_problems(EventsSettings(), {}, tmp_path) == []


def test_only_what_is_written_is_delivered_to(tmp_path):
    assert deliveries(EventsSettings(), {}, tmp_path) == []
    assert len(deliveries(SOMEWHERE, {}, tmp_path)) == 2


def test_only_permissions_that_lifted_something_are_in_an_event():
    update = an_update(rollback=GREEN, override_window="now", active_color="green")

    told(update)

    assert update.journal.events[0].permissions == {}
