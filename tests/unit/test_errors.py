import pulumi
import pytest

from bluegreen.errors import BlueGreenError, ConfigError, DataPlaneError, GateError, RolloutError


@pytest.mark.parametrize(
    ("error", "bases"),
    [
        (ConfigError, {BlueGreenError}),
        (RolloutError, {BlueGreenError}),
        (GateError, {BlueGreenError, RolloutError}),
        (DataPlaneError, {BlueGreenError}),
    ],
)
def test_errors_are_told_apart_by_what_the_reader_must_do(error, bases):
    ours = {ConfigError, RolloutError, GateError, DataPlaneError, BlueGreenError}

    assert {base for base in ours - {error} if issubclass(error, base)} == bases


def test_pulumi_prints_every_error_as_one_message_without_a_traceback():
    assert issubclass(BlueGreenError, pulumi.RunError)


def test_a_config_error_has_one_line_per_problem():
    error = ConfigError(text for text in ["shop:blue: is missing", "shop:port: 0 is too small"])

    assert error.problems == ("shop:blue: is missing", "shop:port: 0 is too small")
    assert str(error) == "shop:blue: is missing\nshop:port: 0 is too small"


@pytest.mark.parametrize("error", [RolloutError, GateError, DataPlaneError])
def test_the_message_is_what_is_printed(error):
    assert str(error("not switching to green")) == "not switching to green"
