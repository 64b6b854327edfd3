from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.kubernetes.active_flag import flag_color_of, last_switch
from tests.unit.kubernetes.objects import NAMES, a_service_object, selects

PATH = "/api/v1/namespaces/shops/configmaps/shop-active"
MADE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def text_of(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def after(**how):
    return MADE + timedelta(**how)


def written_at(moment, *, manager="pulumi-kubernetes", fields=None):
    return {
        "manager": manager,
        "operation": "Apply",
        "time": text_of(moment),
        "fieldsV1": fields or {"f:data": {"f:color": {}}},
    }


def a_flag(*entries, made=MADE):
    return {
        "metadata": {
            "name": NAMES.flag,
            "creationTimestamp": text_of(made),
            "managedFields": list(entries),
        },
        "data": {"color": "blue"},
    }


def a_router(made=MADE):
    return a_service_object(selects(Color.BLUE), creationTimestamp=text_of(made))


def switch_seen(cluster, api, flag, router):
    api.objects[PATH] = flag
    return last_switch(cluster, NAMES, router)


def test_without_a_flag_there_was_no_switch(cluster, api):
    assert last_switch(cluster, NAMES, a_router()) is None
    assert api.paths() == [PATH]


def test_a_flag_that_is_as_it_was_made_tells_of_no_switch(cluster, api):
    assert switch_seen(cluster, api, a_flag(written_at(MADE)), a_router()) is None


def test_a_flag_made_a_while_after_its_router_in_the_same_deployment_tells_of_no_switch(
    cluster, api
):
    flag = a_flag(written_at(after(minutes=10)), made=after(minutes=10))

    assert switch_seen(cluster, api, flag, a_router()) is None


def test_the_last_change_of_the_color_is_the_switch(cluster, api):
    flag = a_flag(written_at(after(hours=3)))

    assert switch_seen(cluster, api, flag, a_router()) == after(hours=3)


def test_a_flag_that_was_removed_and_made_again_counts_from_when_it_was_made(cluster, api):
    again = after(days=2)

    assert switch_seen(cluster, api, a_flag(written_at(again), made=again), a_router()) == again


def test_without_a_router_the_first_flag_tells_of_no_switch(cluster, api):
    assert switch_seen(cluster, api, a_flag(written_at(MADE)), None) is None


def test_a_label_that_somebody_adds_is_no_switch(cluster, api):
    labelled = written_at(
        after(days=1), manager="kubectl-label", fields={"f:metadata": {"f:labels": {"f:a": {}}}}
    )
    flag = a_flag(written_at(after(hours=3)), labelled)

    assert switch_seen(cluster, api, flag, a_router()) == after(hours=3)


def test_of_several_writers_of_the_color_the_last_one_counts(cluster, api):
    by_hand = written_at(after(hours=5), manager="kubectl-edit")

    found = switch_seen(cluster, api, a_flag(by_hand, written_at(after(hours=3))), a_router())

    assert found == after(hours=5)


@pytest.mark.parametrize(
    "flag",
    [
        a_flag(),
        a_flag({"manager": "old", "fieldsV1": {"f:data": {"f:color": {}}}}),
        a_flag({"manager": "old", "time": "soon", "fieldsV1": {"f:data": {"f:color": {}}}}),
        a_flag({"manager": "old", "time": text_of(MADE), "fieldsV1": {"f:data": {}}}),
        {"metadata": {"name": "shop-active", "managedFields": [written_at(MADE)]}},
        {"metadata": {"name": "shop-active", "creationTimestamp": "?", "managedFields": None}},
    ],
)
def test_a_flag_that_does_not_say_when_it_changed_names_the_way_out(cluster, api, flag):
    with pytest.raises(DataPlaneError) as caught:
        switch_seen(cluster, api, flag, a_router())
    assert str(caught.value) == (
        "ConfigMap shop-active does not say when it was changed; delete it and run "
        "`pulumi up --refresh`, which makes it again"
    )


def test_an_api_server_that_is_away_is_an_error_and_not_never(silent_cluster):
    with pytest.raises(DataPlaneError, match="does not answer"):
        last_switch(silent_cluster, NAMES, None)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    made=st.integers(0, 900),
    changes=st.lists(st.integers(0, 10**7), max_size=4),
)
def test_the_clock_starts_with_the_last_change_and_with_nothing_before_it(
    cluster, api, made, changes
):
    flag_made = after(seconds=made)
    moments = [flag_made, *(flag_made + timedelta(seconds=change) for change in changes)]
    entries = [written_at(moment, manager=f"manager-{n}") for n, moment in enumerate(moments)]

    found = switch_seen(cluster, api, a_flag(*entries, made=flag_made), a_router())

    assert found == (max(moments) if max(moments) > flag_made else None)


@pytest.mark.parametrize(
    ("properties", "color"),
    [
        ({"data": {"color": "green"}}, Color.GREEN),
        ({"data": {"color": "purple"}}, None),
        ({"data": {}}, None),
        ({"data": None}, None),
        ({}, None),
    ],
)
def test_a_flags_color_is_read_from_its_properties(properties, color):
    assert flag_color_of(properties) is color
