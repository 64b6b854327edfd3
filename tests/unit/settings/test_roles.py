import pytest

from bluegreen.settings.roles import RetiredCapacityMode, RetiredCapacitySettings
from tests.unit.written import a_config, problem_of, set_path


def test_a_retired_color_keeps_nothing_by_default():
    capacity = RetiredCapacitySettings()

    assert capacity.mode is RetiredCapacityMode.ZERO
    assert (capacity.replicas, capacity.percent) == (2, 20)


def test_a_canary_gets_nothing_by_default():
    assert a_config(canary={"color": "green"}).canary.percent == 0


@pytest.mark.parametrize("percent", [1, 50, 99])
def test_a_canary_may_have_almost_everything(percent):
    assert a_config(canary={"color": "green", "percent": percent}).canary.percent == percent


@pytest.mark.parametrize(
    ("percent", "complaint"),
    [(-1, "-1 is not at least 0"), (100, "100 is not at most 99"), (101, "101 is not at most 99")],
)
def test_a_canary_of_everything_is_a_switch_and_is_refused(percent, complaint):
    assert problem_of(canary={"color": "green", "percent": percent}) == (
        f"shop:canary.percent: {complaint}; nothing was changed; {set_path('canary.percent')}"
    )


def test_a_canary_names_its_color():
    assert problem_of(canary={"percent": 5}) == (
        f"shop:canary.color: is missing; nothing was changed; {set_path('canary.color')}"
    )


def test_a_retired_entry_names_the_release_it_means():
    assert problem_of(retired={"color": "green", "release": ""}) == (
        'shop:retired.release: "" has less than 1 characters; nothing was changed; '
        f"{set_path('retired.release', 'VALUE --type string')}"
    )


def test_a_retired_entry_names_what_can_be_a_release():
    assert problem_of(retired={"color": "green", "release": "\r"}).startswith(
        'shop:retired.release: "\\r" does not match '
    )


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("replicas", 0, "0 is not at least 1"),
        ("percent", 0, "0 is not at least 1"),
        ("percent", 101, "101 is not at most 100"),
    ],
)
def test_a_retired_capacity_out_of_range_is_refused(key, value, complaint):
    assert problem_of(service={"retired_capacity": {key: value}}) == (
        f"shop:service.retired_capacity.{key}: {complaint}; nothing was changed; "
        f"{set_path(f'service.retired_capacity.{key}')}"
    )
