import pytest

from bluegreen.colors import Color
from bluegreen.errors import ConfigError
from bluegreen.overrides import ColorPermission, Overrides

BY_COLOR = ["BLUEGREEN_ROLLBACK", "BLUEGREEN_ALLOW_LIVE_CHANGE"]


def refusal_of(environment):
    with pytest.raises(ConfigError) as caught:
        Overrides.read(environment)
    return str(caught.value)


def test_without_variables_nothing_is_permitted():
    assert Overrides.read({"PATH": "/bin"}) == Overrides(None, None, None)


def test_each_variable_gives_its_own_permission_and_no_other():
    assert Overrides.read({"BLUEGREEN_ROLLBACK": "blue:slow"}) == Overrides(
        rollback=ColorPermission(Color.BLUE, "slow")
    )
    assert Overrides.read({"BLUEGREEN_ALLOW_LIVE_CHANGE": "green:hot fix"}) == Overrides(
        allow_live_change=ColorPermission(Color.GREEN, "hot fix")
    )
    assert Overrides.read({"BLUEGREEN_RETIRE_EARLY": "costs"}) == Overrides(retire_early="costs")


def test_a_reason_may_have_colons_and_loses_only_the_blanks_around_it():
    overrides = Overrides.read(
        {"BLUEGREEN_ROLLBACK": "blue: see: ticket 7 ", "BLUEGREEN_RETIRE_EARLY": " a: b "}
    )

    assert overrides.rollback.reason == "see: ticket 7"
    assert overrides.retire_early == "a: b"


@pytest.mark.parametrize("variable", BY_COLOR)
@pytest.mark.parametrize(
    "text", ["", "blue", "blue:", "blue:  ", ":why", "red:why", "Blue:why", "blue why", "1"]
)
def test_a_permission_without_a_color_or_a_reason_is_refused_with_its_form(variable, text):
    assert refusal_of({variable: text}) == (
        f"{variable}: {text!r} does not name a color and a reason; nothing was changed; "
        f"write {variable}='blue:why' or {variable}='green:why'"
    )


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_reason_to_retire_early_is_refused(text):
    assert refusal_of({"BLUEGREEN_RETIRE_EARLY": text}) == (
        "BLUEGREEN_RETIRE_EARLY is empty; nothing was changed; write BLUEGREEN_RETIRE_EARLY='why'"
    )
