import pytest

from bluegreen.colors import Color
from bluegreen.errors import ConfigError
from bluegreen.overrides import ColorPermission, Overrides, ReleasePermission

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


def test_a_window_and_a_rolled_back_release_are_lifted_with_a_reason():
    overrides = Overrides.read(
        {"BLUEGREEN_OVERRIDE_WINDOW": " now ", "BLUEGREEN_ACKNOWLEDGE": "1.1:see: ticket 7 "}
    )

    assert overrides.override_window == "now"
    assert overrides.acknowledge == ReleasePermission("1.1", "see: ticket 7")
    assert {str(each): overrides.reason(each) for each in overrides.given} == {
        "BLUEGREEN_OVERRIDE_WINDOW": "now",
        "BLUEGREEN_ACKNOWLEDGE": "see: ticket 7",
    }


@pytest.mark.parametrize("text", ["", "1.1", "1.1:", ":why", "1.1: "])
def test_an_acknowledgement_without_a_release_or_a_reason_is_refused_with_its_form(text):
    assert refusal_of({"BLUEGREEN_ACKNOWLEDGE": text}) == (
        f"BLUEGREEN_ACKNOWLEDGE: {text!r} does not name a release and a reason; nothing was "
        "changed; write BLUEGREEN_ACKNOWLEDGE='1.1:why'"
    )
