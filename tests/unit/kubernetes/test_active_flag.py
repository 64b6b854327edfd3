from datetime import UTC, datetime, timedelta

import pytest

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.kubernetes.active_flag import (
    FlagData,
    flag_color_of,
    flagged_color,
    last_switch,
)
from bluegreen.kubernetes.names import ACTIVE
from tests.unit.fake_update import a_call
from tests.unit.kubernetes.objects import NAMES, a_service_object, selects

PATH = "/api/v1/namespaces/shops/configmaps/shop-active"
MADE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def after(**how):
    return MADE + timedelta(**how)


def a_flag(**data):
    return {"metadata": {"name": NAMES.flag}, "data": data}


def since(moment, color="green", **more):
    return a_flag(color=color, since=moment.isoformat(), **more)


def a_router(made=MADE):
    made_at = made.strftime("%Y-%m-%dT%H:%M:%SZ")
    return a_service_object(selects(Color.BLUE), creationTimestamp=made_at)


def switch_seen(cluster, api, flag, router):
    api.objects[PATH] = flag
    return last_switch(cluster, NAMES, router)


def wanted(color):
    return {"metadata": {"annotations": {ACTIVE: color}}}


def test_without_a_flag_there_was_no_switch(cluster, api):
    assert last_switch(cluster, NAMES, a_router()) is None
    assert api.paths() == [PATH]


def test_the_first_flag_tells_of_no_switch(cluster, api):
    assert switch_seen(cluster, api, since(after(minutes=10)), a_router()) is None


def test_a_flag_that_knows_what_was_before_it_tells_when_the_switch_was(cluster, api):
    flag = since(after(minutes=3), previous="blue")

    assert switch_seen(cluster, api, flag, a_router()) == after(minutes=3)


def test_a_flag_that_was_removed_and_made_again_counts_from_when_it_was_made(cluster, api):
    assert switch_seen(cluster, api, since(after(days=2)), a_router()) == after(days=2)


def test_without_a_router_the_first_flag_tells_of_no_switch(cluster, api):
    assert switch_seen(cluster, api, since(MADE), None) is None


@pytest.mark.parametrize(
    "flag",
    [
        {"metadata": {"name": "shop-active"}},
        a_flag(),
        a_flag(color="green"),
        a_flag(color="green", since="soon"),
        a_flag(color="purple", since=MADE.isoformat()),
    ],
)
def test_a_flag_that_does_not_say_it_names_the_way_out(cluster, api, flag):
    with pytest.raises(DataPlaneError) as caught:
        switch_seen(cluster, api, flag, a_router())
    assert str(caught.value) == (
        "ConfigMap shop-active does not say since when which color is active; delete it and run "
        "`pulumi up --refresh`, which makes it again"
    )


def test_an_api_server_that_is_away_is_an_error_and_not_never(silent_cluster):
    with pytest.raises(DataPlaneError, match="does not answer"):
        last_switch(silent_cluster, NAMES, None)


@pytest.mark.parametrize(
    ("properties", "color"),
    [
        (wanted("green"), Color.GREEN),
        (wanted("purple"), None),
        ({"metadata": {"annotations": None}}, None),
        ({"metadata": None}, None),
        ({}, None),
    ],
)
def test_a_flags_color_is_read_from_its_properties(properties, color):
    assert flag_color_of(properties) is color


@pytest.mark.parametrize(
    ("flag", "color"),
    [(since(MADE), Color.GREEN), (a_flag(color="purple"), None), (a_flag(), None)],
)
def test_the_flagged_color_is_what_jobs_read(cluster, api, flag, color):
    api.objects[PATH] = flag

    assert flagged_color(cluster, NAMES) is color


def written(cluster, api, found, *, old=None, new="green"):
    """The data that is written when `found` is there."""
    if found is not None:
        api.objects[PATH] = found
    api.answers["PATCH", PATH] = {}
    FlagData(cluster, NAMES)(a_call(old=old, new=wanted(new)))
    (request,) = [each for each in api.asked if each.method == "PATCH"]
    assert request.query == {"fieldManager": "bluegreen", "force": "true"}
    return request.content["data"]


def test_the_first_data_has_nothing_before_it(cluster, api):
    data = written(cluster, api, None)

    assert set(data) == {"color", "since"}
    assert data["color"] == "green"
    assert datetime.fromisoformat(data["since"]).tzinfo is not None


def test_a_switch_writes_what_was_before_and_a_new_time(cluster, api):
    data = written(cluster, api, since(MADE, "blue"), old=wanted("blue"))

    assert (data["color"], data["previous"]) == ("green", "blue")
    assert datetime.fromisoformat(data["since"]) > MADE


def test_data_that_a_killed_update_has_written_keeps_its_time(cluster, api):
    found = since(MADE, "green", previous="blue")

    assert written(cluster, api, found, old=wanted("blue")) == found["data"]


def test_data_that_somebody_has_spoilt_is_written_anew(cluster, api):
    data = written(cluster, api, a_flag(color="purple"), old=wanted("blue"))

    assert (data["color"], data["previous"]) == ("green", "blue")
