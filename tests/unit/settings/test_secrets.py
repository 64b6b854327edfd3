import traceback

import pytest

from bluegreen.errors import ConfigError
from tests.unit.written import a_config, problem_of, set_path

SECRET = "hunter2"


@pytest.mark.parametrize(
    "changes",
    [
        {"blue": {"release": "1", "env": {"PASSWORD": [SECRET]}}},
        {"blue": {"release": "1", "env": {"PASSWORD": {"nested": SECRET}}}},
        {"blue": {"release": "1", "env": f"PASSWORD={SECRET}"}},
        {"blue": {"release": "1", "env": [SECRET]}},
        {"blue": f'{{"release": "1", "env": {{"PASSWORD": "{SECRET}"}}'},
        {"blue": [{"release": "1", "env": {"PASSWORD": SECRET}}]},
        {"blue": {"release": {"env": {"PASSWORD": SECRET}}}},
        {"blue": {"release": 1, "env": {"PASSWORD": SECRET}}},
        {"blue": {"release": "1", "env": {"PASSWORD": SECRET}, "replicas": 9}},
        {"service": {"env": {"PASSWORD": SECRET}}},
        {"blue": {"release": "1", "secrets": {"PASSWORD": [SECRET]}}},
        {"blue": {"release": "1", "secrets": f"PASSWORD={SECRET}"}},
        {"blue": {"release": "1", "secrets": {"PASSWORD": SECRET}}},
        {"service": {"kubernetes": {"secrets": f"PASSWORD={SECRET}"}}},
        {"service": {"kubernetes": {"secrets": {"PASSWORD": [SECRET]}, "router": SECRET[::-1]}}},
        {"service": {"kubernetes": {"env": {"A=B": SECRET}, "color_url": "http://h"}}},
        {"service": {"gates": {"command": {"a": {"command": "'", "env": {"P": SECRET}}}}}},
        {"service": {"gates": {"command": {"a": {"command": "x", "env": {"P": [SECRET]}}}}}},
    ],
)
def test_nobody_is_shown_what_stands_below_env_or_secrets(changes):
    with pytest.raises(ConfigError) as caught:
        a_config(**changes)

    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("key", ["env", "secrets"])
def test_a_number_below_env_or_secrets_is_not_shown_either(key):
    assert problem_of(blue={"release": "1", key: {"PIN": 4711}}) == (
        f"shop:blue.{key}.PIN: the value (not shown) is not text; nothing was changed; "
        f"{set_path(f'blue.{key}.PIN', 'VALUE --type string')}"
    )


def test_an_environment_that_is_no_mapping_comes_with_the_command_for_its_parts():
    assert problem_of(blue={"release": "1", "env": "A=1"}) == (
        "shop:blue.env: the value (not shown) is not a mapping"
        "; nothing was changed; `pulumi config rm --path "
        "blue.env`, then set its parts with "
        f"{set_path('blue.env.KEY', 'VALUE --type string')}"
    )


def test_a_config_does_not_show_environments_in_its_representation():
    passwords = {"PASSWORD": SECRET}
    shared = {"image": "shop", "env": passwords, "secrets": passwords}
    config = a_config(
        service={"platform": "kubernetes", "kubernetes": shared},
        blue={"release": "1.0", "env": passwords, "secrets": passwords},
    )

    assert "1.0" in repr(config)
    assert SECRET not in repr(config)
