import pytest

from bluegreen.settings.color import ColorSettings
from tests.unit.written import a_config, problem_of, set_path

AS_TEXT = "VALUE --type string"


def blue(**changes):
    return {"release": "1.0", **changes}


def test_a_color_that_only_names_its_release_has_the_documented_defaults():
    settings = ColorSettings(release="1.0")

    assert settings.replicas == 2
    assert settings.command is None
    assert settings.env == {}


@pytest.mark.parametrize("release", ["1", "1.4.2", "v2", "2024-05-01_rc.1+build", "a" * 64])
def test_a_release_may_be_any_usual_version(release):
    assert a_config(blue=blue(release=release)).blue.release == release


@pytest.mark.parametrize("release", ["a b", "-1", ".1", "1/2", "1:2", "1\n", "ü", "$(x)", "a;b"])
def test_a_release_that_could_break_a_name_is_refused(release):
    problem = problem_of(blue=blue(release=release))

    assert problem.endswith(
        "does not match ^[A-Za-z0-9][A-Za-z0-9._+-]*$"
        "; nothing was changed; " + set_path("blue.release", AS_TEXT)
    )


@pytest.mark.parametrize(
    ("settings", "key", "complaint", "value"),
    [
        (blue(release=""), "release", '"" has less than 1 characters', AS_TEXT),
        (blue(command=""), "command", '"" has less than 1 characters', AS_TEXT),
        (blue(replicas=0), "replicas", "0 is not at least 1", "VALUE"),
        (blue(replicas=1001), "replicas", "1001 is not at most 1000", "VALUE"),
    ],
)
def test_a_value_out_of_range_is_refused(settings, key, complaint, value):
    assert problem_of(blue=settings) == (
        f"shop:blue.{key}: {complaint}; nothing was changed; {set_path(f'blue.{key}', value)}"
    )


def test_a_release_of_more_than_64_characters_is_refused():
    assert '" has more than 64 characters; ' in problem_of(blue=blue(release="a" * 65))
