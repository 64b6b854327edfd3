import subprocess

import pytest

from bluegreen.aws.launch import fingerprint_of, image_of, user_data_of
from bluegreen.colors import Color
from bluegreen.errors import ConfigError
from bluegreen.overrides import Overrides
from bluegreen.plan import make_plan
from tests.components.aws_service import config_of


def a_color(*, aws=None, **blue):
    config = config_of(aws=aws or {}, blue={"release": "1.0", **blue})
    return make_plan(config, Overrides.read({})).fleets[Color.BLUE], config.service


def run(script):
    done = subprocess.run(
        ["sh"], input=script, capture_output=True, text=True, check=True, timeout=10, env={}
    )
    return done.stdout


@pytest.mark.parametrize("value", ["plain", "it's", "a b", '$HOME `id` \\ "q"', "two\nlines", ""])
def test_a_member_finds_its_variables_as_they_were_written(value):
    text = user_data_of(*a_color(aws={"user_data": 'printf %s "$ODD"'}, env={"ODD": value}))

    assert run(text) == value


def test_a_member_knows_who_it_is():
    script = 'echo "$BLUEGREEN_SERVICE $BLUEGREEN_COLOR $BLUEGREEN_RELEASE $PORT"; env'

    shown = run(user_data_of(*a_color(aws={"user_data": script, "target_port": 9000})))

    # Exported, so that what the script starts knows it, too.
    assert shown.startswith("shop blue 1.0 9000\n")
    assert "BLUEGREEN_RELEASE=1.0\n" in shown


def test_a_colors_own_variables_go_on_top():
    text = user_data_of(*a_color(aws={"env": {"A": "1", "B": "1"}}, env={"B": "2"}))

    assert "export A='1'\nexport B='2'" in text


def test_the_users_shell_stays_the_first_line():
    text = user_data_of(*a_color(aws={"user_data": "#!/bin/bash -e\nserve {release}\n"}))

    first, *_, last = text.splitlines()
    assert (first, last) == ("#!/bin/bash -e", "serve {release}")


def test_what_a_launch_template_does_not_take_is_refused_before_it_is_sent():
    plan, settings = a_color(aws={"user_data": "x" * 16_000}, env={"A": "y" * 500})

    with pytest.raises(ConfigError) as caught:
        user_data_of(plan, settings)

    assert "service.aws.user_data: with the variables of blue it has 16" in str(caught.value)
    assert "a launch template takes 16384; nothing was changed" in str(caught.value)


def test_the_image_is_the_colors_own_or_the_services():
    assert image_of(*a_color()) == "ami-1"
    assert image_of(*a_color(image="ami-2")) == "ami-2"


@pytest.mark.parametrize(
    "changes",
    [
        {"release": "1.1"},
        {"image": "ami-2"},
        {"env": {"A": "2"}},
        {"aws": {"env": {"A": "2"}}},
        {"aws": {"user_data": "other"}},
        {"aws": {"instance_type": "t3.large"}},
        {"aws": {"instance_profile": "other"}},
        {"aws": {"target_port": 9000}},
        {"aws": {"public_addresses": True}},
        {"aws": {"instance_security_group_ids": ["sg-9"]}},
    ],
)
def test_whatever_makes_other_members_changes_the_fingerprint(changes):
    assert fingerprint_of(*a_color(**changes)) != fingerprint_of(*a_color())


@pytest.mark.parametrize(
    "changes", [{"replicas": 9}, {"aws": {"tags": {"a": "b"}}}, {"aws": {"max_size": 9}}]
)
def test_a_number_of_members_and_tags_make_no_other_members(changes):
    assert fingerprint_of(*a_color(**changes)) == fingerprint_of(*a_color())
