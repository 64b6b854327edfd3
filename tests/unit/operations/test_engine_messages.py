"""What of the engine's events is told, and as what."""

from typing import Any

import pytest

from bluegreen.operations.automation import _message, automation_events

EngineEvent = automation_events.EngineEvent

METADATA = {"op": "update", "urn": "urn:pulumi:test::shop::t:T::shop-blue-members", "type": "t:T"}


def an_event(kind: str, **body: Any) -> EngineEvent:
    metadata = {**METADATA, "provider": "", "old": None, "new": None}
    return EngineEvent.from_json(
        {"sequence": 1, "timestamp": 1, kind: {"metadata": metadata, **body}}
    )


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (an_event("resOutputsEvent"), "shop-blue-members: update done"),
        (
            an_event("resOpFailedEvent", status=2, steps=1),
            "shop-blue-members: update begun and not finished",
        ),
    ],
)
def test_a_step_is_told_also_when_its_provider_failed(event: EngineEvent, told: str):
    message = _message(event)

    assert message is not None
    assert (message.severity, message.text) == ("step", told)


def test_what_a_hook_refused_was_no_step():
    assert _message(an_event("resOpFailedEvent", status=0, steps=1)) is None
