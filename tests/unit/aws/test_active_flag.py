from datetime import UTC, datetime, timedelta

import pytest

from bluegreen.aws.active_flag import LiveFlag, flag_color_of
from bluegreen.aws.aws_session import NotFoundError
from bluegreen.errors import DataPlaneError
from tests.unit.aws.answers import BLUE, GREEN, NAMES, FakeAws

MADE = datetime(2026, 1, 1, 12, tzinfo=UTC)


def hours(count):
    return MADE + timedelta(hours=count)


def flag(*values, first=1):
    """A parameter that had one value after the other, an hour apart."""
    versions = [
        {"Version": first + index, "Value": value, "LastModifiedDate": hours(index)}
        for index, value in enumerate(values)
    ]
    # The last one first: no order is promised.
    return LiveFlag(FakeAws(get_parameter_history={"Parameters": versions[::-1]}), NAMES)


def switched(live, made=MADE):
    return live.last_switch(lambda: made)


def test_a_flag_that_was_never_changed_has_seen_no_switch():
    assert switched(flag("blue")) is None


def test_the_last_switch_is_the_last_change_of_the_color():
    assert switched(flag("blue", "green", "blue")) == hours(2)


def test_a_color_that_is_written_again_is_no_switch():
    assert switched(flag("blue", "green", "green", "green")) == hours(1)
    assert switched(flag("blue", "blue")) is None


def test_a_flag_that_was_removed_and_made_again_counts_from_then():
    assert switched(flag("green"), made=hours(-30)) == MADE


def test_switches_that_are_forgotten_count_from_what_is_left():
    assert switched(flag("green", "green", first=7)) == MADE


def test_without_a_flag_there_was_no_switch():
    live = LiveFlag(FakeAws(get_parameter_history=NotFoundError("ssm:… ParameterNotFound")), NAMES)

    assert switched(live) is None


def test_a_flag_that_names_no_color_says_how_to_write_it_again():
    with pytest.raises(DataPlaneError) as caught:
        switched(flag("blue", "purple"))

    assert str(caught.value) == (
        "the parameter /shop/active-color names no color; `pulumi up --refresh` writes it again"
    )


@pytest.mark.parametrize(
    ("answer", "color"),
    [
        ({"Parameter": {"Value": "green"}}, GREEN),
        ({"Parameter": {"Value": "purple"}}, None),
        (NotFoundError("ssm:GetParameter answers ParameterNotFound"), None),
    ],
)
def test_the_flag_is_read_as_it_is(answer, color):
    assert LiveFlag(FakeAws(get_parameter=answer), NAMES).color() == color


@pytest.mark.parametrize("key", ["insecureValue", "value"])
def test_properties_name_the_color_in_either_place(key):
    assert flag_color_of({key: "blue"}) is BLUE


def test_properties_without_a_color_name_none():
    assert flag_color_of({"insecureValue": "purple"}) is None
