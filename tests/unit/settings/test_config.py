import json
from typing import get_args

import pulumi
import pytest
from pydantic import BaseModel, ValidationError

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey
from bluegreen.errors import ConfigError
from bluegreen.settings.config import ServiceConfig
from tests.unit.written import (
    COMMAND,
    FakeSource,
    a_config,
    problem_of,
    problems_of,
    set_path,
    written,
)


def models_below(model):
    yield model
    for field in model.model_fields.values():
        for kind in [field.annotation, *get_args(field.annotation)]:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from models_below(kind)


def test_every_key_of_the_contract_is_a_field_and_no_other():
    assert set(ServiceConfig.model_fields) == set(ConfigKey)


def test_a_whole_config_is_read():
    config = a_config(
        active_color="green",
        blue={"release": "1.0", "replicas": 3, "env": {"MODE": "calm"}},
        canary={"color": "blue", "percent": 5},
        retired={"color": "blue", "release": "0.9"},
    )

    assert config.active_color is Color.GREEN
    assert config.service.name == "shop"
    assert config.color(Color.BLUE) == config.blue
    assert config.color(Color.GREEN) == config.green
    assert (config.blue.replicas, config.blue.env) == (3, {"MODE": "calm"})
    assert (config.canary.color, config.canary.percent) == (Color.BLUE, 5)
    assert (config.retired.color, config.retired.release) == (Color.BLUE, "0.9")


def test_the_idle_color_may_be_absent_on_the_first_day():
    config = a_config(green=None)

    assert config.color(Color.GREEN) is None
    assert config.canary is None
    assert config.retired is None


def test_the_config_of_pulumi_itself_is_a_source():
    for key, value in written(active_color="green").items():
        text = value if isinstance(value, str) else json.dumps(value)
        pulumi.runtime.set_config(f"read-by-a-test:{key}", text)

    config = ServiceConfig.load(pulumi.Config("read-by-a-test"))

    assert config == a_config(active_color="green")


def test_a_structure_may_be_set_as_one_json_text():
    assert a_config(blue='{"release": "1.0"}') == a_config()


@pytest.mark.parametrize("key", ["blue", "green", "canary", "retired"])
def test_a_key_that_says_null_counts_as_absent(key):
    active = Color.GREEN if key == "blue" else Color.BLUE

    config = a_config(active_color=active, **{key: "null"})

    assert getattr(config, key) is None


@pytest.mark.parametrize(
    "model", sorted(set(models_below(ServiceConfig)), key=lambda m: m.__name__)
)
def test_no_settings_take_unknown_keys_or_can_be_changed(model):
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["frozen"] is True


def test_settings_cannot_be_changed_once_they_are_read():
    with pytest.raises(ValidationError):
        a_config().active_color = Color.GREEN


def test_a_missing_active_color_comes_with_the_command_that_sets_it():
    assert problem_of(active_color=None) == (
        "shop:active_color: is missing; nothing was changed; `pulumi config set active_color VALUE`"
    )


def test_a_missing_service_comes_with_the_command_that_sets_its_name():
    config = written()
    del config["service"]

    with pytest.raises(ConfigError) as caught:
        ServiceConfig.load(FakeSource(config))

    assert str(caught.value) == (
        f"shop:service: is missing"
        f"; nothing was changed; {set_path('service.name', 'VALUE --type string')}"
    )


@pytest.mark.parametrize("color", list(Color))
def test_the_active_color_cannot_be_absent(color):
    assert problem_of(active_color=color, **{color: None}) == (
        f"shop:{color}: is missing, but active_color is {color}"
        f"; nothing was changed; say what runs there with "
        f"{set_path(f'{color}.release', 'VERSION --type string')}"
    )


def test_a_missing_text_is_set_as_text():
    assert problem_of(retired={"color": "green"}) == (
        f"shop:retired.release: is missing"
        f"; nothing was changed; {set_path('retired.release', 'VALUE --type string')}"
    )


def test_a_member_needs_a_command_from_somewhere():
    assert problems_of(service={"onprem": {}}) == [
        f"shop:{color}.command: is missing, and so is service.onprem.command; nothing was changed; "
        f"{set_path('service.onprem.command', repr(COMMAND.replace('serve', 'PROGRAM')))}"
        for color in Color
    ]


def test_a_command_for_each_color_is_enough():
    config = a_config(
        service={"onprem": {}},
        blue={"release": "1", "command": "a"},
        green={"release": "2", "command": "b"},
    )

    assert config.service.onprem.command is None


@pytest.mark.parametrize("text", ["red", "Blue", "blue ", "", "1", "true", '"blue"'])
def test_anything_but_blue_or_green_is_refused_with_one_clear_line(text):
    assert problem_of(active_color=text) == (
        f"shop:active_color: {json.dumps(text)} is not blue or green; nothing was changed; "
        "`pulumi config set active_color VALUE`"
    )


@pytest.mark.parametrize("key", ["canary", "retired"])
def test_an_unknown_color_of_a_role_is_refused(key):
    entry = {"color": "red"} if key == "canary" else {"color": "red", "release": "1"}

    assert problem_of(**{key: entry}) == (
        f'shop:{key}.color: "red" is not blue or green'
        f"; nothing was changed; {set_path(f'{key}.color')}"
    )


@pytest.mark.parametrize("color", list(Color))
def test_more_members_than_slots_are_refused(color):
    assert problem_of(**{color: {"release": "1", "replicas": 9}}) == (
        f"shop:{color}.replicas: 9 members do not fit into 8 slots; nothing was changed; "
        f"{set_path('service.onprem.slots', 9)}"
    )


def test_as_many_members_as_slots_fit():
    assert a_config(blue={"release": "1", "replicas": 8}).blue.replicas == 8


def test_a_canary_needs_a_release_to_go_to():
    assert problem_of(green=None, canary={"color": "green", "percent": 10}) == (
        "shop:canary.color: green has no release yet, so it cannot get 10 % of the traffic"
        "; nothing was changed; "
        f"{set_path('canary.percent', 0)}"
    )


def test_a_canary_of_nothing_needs_no_release():
    assert a_config(green=None, canary={"color": "green", "percent": 0}).canary.percent == 0


def test_what_does_not_fit_together_comes_with_the_command_for_its_parts():
    assert problem_of(service={"health_check": {"timeout_seconds": 3}}) == (
        "shop:service.health_check: timeout_seconds 3 is longer than interval_seconds 2; a check "
        f"would overlap the next one"
        f"; nothing was changed; {set_path('service.health_check.timeout_seconds', 2)}"
    )


def test_every_problem_is_told_at_once_one_line_each():
    problems = problems_of(
        active_color="red",
        service={"prot": 1, "retention_hours": -1, "health_check": {"path": "ready"}},
        blue={"release": 2},
        green="1.1",
        canary={"color": "green", "percent": 101},
    )

    assert sorted(problem.split(": ", 1)[0] for problem in problems) == [
        "shop:active_color",
        "shop:blue.release",
        "shop:canary.percent",
        "shop:green",
        "shop:service.health_check.path",
        "shop:service.prot",
        "shop:service.retention_hours",
    ]


def test_every_contradiction_is_told_at_once():
    problems = problems_of(
        active_color="green",
        green=None,
        blue={"release": "1", "replicas": 9},
        canary={"color": "green", "percent": 1},
        service={"onprem": {}},
    )

    assert [problem.split(": ", 1)[0] for problem in problems] == [
        "shop:green",
        "shop:canary.color",
        "shop:blue.replicas",
        "shop:blue.command",
    ]


def test_every_line_ends_with_a_command_and_without_a_full_stop():
    problems = problems_of(
        active_color="red",
        service={"prot": 1, "retention_hours": -1, "gates": {"release": True}},
        blue={"release": 2},
        green={"release": "", "env": 5},
        canary={"percent": 101},
        retired="green",
    )

    assert len(problems) == 10
    assert all(
        problem.endswith("`") and "; nothing was changed; `pulumi config " in problem
        for problem in problems
    )


def test_a_long_value_is_shortened():
    problem = problem_of(blue={"release": "1" * 500})

    assert problem.startswith('shop:blue.release: "1111')
    assert "111... has more than 64 characters; nothing was changed; `pulumi" in problem
    assert len(problem) < 220
