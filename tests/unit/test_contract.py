import re

import pytest

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey, OutputName, OverrideVariable, RequestVariable


def test_the_config_keys_are_those_that_are_documented():
    assert list(ConfigKey) == ["active_color", "service", "blue", "green", "canary", "retired"]


def test_every_color_has_a_config_key():
    assert set(Color) <= set(ConfigKey)


def test_the_outputs_are_those_that_are_documented():
    assert list(OutputName) == [
        "active_color",
        "idle_color",
        "releases",
        "production_url",
        "test_url",
        "guarantee",
        "rollback_command",
    ]


def test_the_override_variables_are_those_that_are_documented():
    assert list(OverrideVariable) == [
        "BLUEGREEN_ROLLBACK",
        "BLUEGREEN_ALLOW_LIVE_CHANGE",
        "BLUEGREEN_RETIRE_EARLY",
    ]


def test_the_request_variables_are_those_that_are_documented():
    assert list(RequestVariable) == ["BLUEGREEN_REPORT", "BLUEGREEN_VALIDATE", "BLUEGREEN_STOP"]


@pytest.mark.parametrize("name", [*ConfigKey, *OutputName])
def test_names_are_written_in_snake_case_and_as_their_member(name):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert name.name == name.value.upper()


@pytest.mark.parametrize("variable", list(OverrideVariable))
def test_a_variable_is_called_after_its_member(variable):
    assert variable.value == f"BLUEGREEN_{variable.name}"
