from bluegreen.operations.stack import PastUpdate
from bluegreen.operations.status import last_switch_in

KEY = "shop:active_color"


def an_update(color, *, kind="update", result="succeeded", at="2026-01-01T00:00:00Z"):
    return PastUpdate(
        kind=kind,
        result=result,
        started=at,
        ended=at,
        message="",
        by=None,
        commit=None,
        config={} if color is None else {KEY: color},
    )


def test_the_last_switch_is_the_newest_update_that_ended_with_another_color():
    updates = [
        an_update("blue", at="2026-01-05T00:00:00Z"),
        an_update("blue", at="2026-01-04T00:00:00Z"),
        an_update("green", at="2026-01-03T00:00:00Z"),
        an_update("blue", at="2026-01-02T00:00:00Z"),
    ]

    switch = last_switch_in(updates, KEY)

    assert switch is not None
    assert (switch.from_color, switch.to_color) == ("green", "blue")
    assert switch.at == "2026-01-04T00:00:00Z"


def test_what_failed_or_changed_nothing_is_no_switch():
    updates = [
        an_update("green", result="failed"),
        an_update("green", kind="refresh"),
        an_update("blue"),
        an_update("blue"),
        an_update(None),
    ]

    assert last_switch_in(updates, KEY) is None
