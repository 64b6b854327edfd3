"""The active flag: what it says, and how its clock outlives the file and the state."""

import json
from datetime import UTC, datetime

import pytest

from bluegreen.errors import DataPlaneError
from bluegreen.onprem.active_flag import _Provider, last_switch

SINCE = "2026-01-02T03:04:05.678+00:00"
WHOLE = {"service": "shop", "color": "blue", "release": "1.0", "since": SINCE, "previous": "green"}
DAMAGED = [
    '{"color": ',
    "[]",
    "{}",
    *(
        json.dumps(WHOLE | wrong)
        for wrong in (
            {"color": "red"},
            {"color": ["blue"]},
            {"release": 1},
            {"since": 7},
            {"since": "yesterday"},
            {"since": "2026-01-02T03:04:05"},
            {"previous": {}},
            {"previous": "red"},
        )
    ),
]


@pytest.fixture
def flag(tmp_path):
    return tmp_path / "active.json"


@pytest.fixture
def inputs(flag):
    def build(color):
        return {"path": str(flag), "service": "shop", "color": color, "release": "1.0"}

    return build


@pytest.fixture
def switched(flag, inputs):
    """The state after a switch from blue to green, long ago."""
    provider = _Provider()
    created = provider.create(inputs("blue")).outs
    state = provider.update("", created, inputs("green")).outs | {"since": SINCE}
    flag.write_text(json.dumps(json.loads(flag.read_text()) | {"since": SINCE}))
    return state


def history(content):
    return content["since"], content.get("previous")


def test_a_switch_is_noted_with_its_time_and_the_color_before(flag, inputs):
    provider = _Provider()

    created = provider.create(inputs("blue")).outs
    first = json.loads(flag.read_text())
    updated = provider.update("", created, inputs("green")).outs

    assert history(created) == history(first) == (first["since"], None)
    assert last_switch(flag) == datetime.fromisoformat(updated["since"])
    assert updated["previous"] == "blue"
    assert (datetime.now(UTC) - last_switch(flag)).total_seconds() < 60


@pytest.mark.parametrize("content", [None, *DAMAGED])
def test_a_lost_or_damaged_flag_is_drift_and_its_clock_is_that_of_the_state(
    flag, inputs, switched, content
):
    provider = _Provider()
    flag.unlink()
    if content is not None:
        flag.write_text(content)

    is_drift = provider.diff("", switched, inputs("green")).changes
    refreshed = provider.read("flag", switched).outs
    updated = provider.update("", refreshed, inputs("green")).outs

    assert is_drift
    assert refreshed == switched
    assert history(updated) == (SINCE, "blue")
    assert history(json.loads(flag.read_text())) == (SINCE, "blue")
    assert not provider.diff("", updated, inputs("green")).changes


@pytest.mark.parametrize("changed", [{"since": "2020-01-01T00:00:00+00:00"}, {"previous": None}])
def test_a_clock_that_was_turned_by_hand_is_drift(flag, inputs, switched, changed):
    provider = _Provider()
    assert not provider.diff("", switched, inputs("green")).changes
    flag.write_text(json.dumps(json.loads(flag.read_text()) | changed))

    assert provider.diff("", switched, inputs("green")).changes

    provider.update("", switched, inputs("green"))
    assert history(json.loads(flag.read_text())) == (SINCE, "blue")


def test_an_update_that_was_killed_after_its_write_does_not_switch_again(flag, inputs, switched):
    before = {**switched, "color": "blue", "since": "2020-01-01T00:00:00+00:00", "previous": None}

    updated = _Provider().update("", before, inputs("green")).outs

    assert history(updated) == (SINCE, "blue")


def test_a_flag_is_taken_over_when_the_state_was_lost(inputs, switched):
    assert history(_Provider().create(inputs("green")).outs) == history(switched)


def test_a_switch_after_the_state_was_lost_knows_the_color_before(flag, inputs, switched):
    created = _Provider().create(inputs("blue")).outs

    assert created["previous"] == "green"
    assert last_switch(flag) > datetime.fromisoformat(switched["since"])


def test_another_release_of_the_same_color_is_no_switch(flag, inputs, switched):
    updated = _Provider().update("", switched, inputs("green") | {"release": "1.1"}).outs

    assert history(updated) == (SINCE, "blue")
    assert json.loads(flag.read_text())["release"] == "1.1"


def test_a_refresh_takes_nothing_else_from_the_file(flag, switched):
    flag.write_text(json.dumps(json.loads(flag.read_text()) | {"path": "/etc/passwd"}))

    assert _Provider().read("flag", switched).outs == switched


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_flag_does_not_say_when_the_last_switch_was(flag, content):
    flag.write_text(content)

    with pytest.raises(DataPlaneError, match=r"run `pulumi up` with nothing else changed"):
        last_switch(flag)


def test_without_a_flag_there_was_no_switch(flag):
    assert last_switch(flag) is None
