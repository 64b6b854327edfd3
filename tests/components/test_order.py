"""The order of one `pulumi up` is in the dependencies of the new program; here they are read."""

import graphlib
import pickle
from typing import Any

import pulumi
import pytest

from bluegreen.contract import OutputName
from bluegreen.onprem import ProcessService, ProcessServiceArgs
from tests.components.conftest import Deploy, Recording
from tests.unit.written import COMMAND, a_config

TOKEN = "bluegreen:index:ProcessService"
ANCHORS = {"shop-supervisor", "shop-haproxy"}
FOLLOWERS = {"shop-route", "shop-flag"}
SECRET = "not-a-password"

BLUE = {"release": "1.0"}
GREEN = {"release": "1.1"}

SITUATIONS: dict[str, dict[str, Any]] = {
    "blue is active": {"active_color": "blue"},
    "green is active": {"active_color": "green"},
    "green is a canary": {"canary": {"color": "green", "percent": 10}},
    "blue is a canary": {"active_color": "green", "canary": {"color": "blue", "percent": 10}},
    "green is retired": {"retired": {"color": "green", "release": "1.1"}},
    "green is absent": {"green": None},
}

# Who has a share of production, and who has none, in each of them.
WITH_A_SHARE = {
    "blue is active": {"blue"},
    "green is active": {"green"},
    "green is a canary": {"blue", "green"},
    "blue is a canary": {"blue", "green"},
    "green is retired": {"blue"},
    "green is absent": {"blue"},
}
IDLE = {
    "blue is active": {"green"},
    "green is active": {"blue"},
    "green is a canary": set(),
    "blue is a canary": set(),
    "green is retired": {"green"},
    "green is absent": set(),
}

in_every_situation = pytest.mark.parametrize("situation", SITUATIONS)


def a_service(
    deploy: Deploy, *, answers: dict[str, dict[str, Any]] | None = None, **changes: Any
) -> Recording:
    args = ProcessServiceArgs(config=a_config(**changes))  # type: ignore[no-untyped-call]

    def program() -> None:
        for name, value in ProcessService("shop", args).stack_outputs().items():
            pulumi.export(name, value)

    return deploy(program, answers=answers)


def members(colors: set[str]) -> set[str]:
    return {f"shop-{color}-members" for color in colors}


def waits_for(recording: Recording) -> dict[str, set[str]]:
    """Everything a resource waits for, by URN: its dependencies and its parent."""
    return {
        each.urn: {*each.dependencies, *filter(None, [each.parent])}
        for each in recording.by_urn.values()
    }


def differing(before: Recording, after: Recording) -> set[str]:
    """The names of the resources that a later program describes otherwise."""
    return {
        name
        for name in before.by_name.keys() | after.by_name.keys()
        if before.by_name[name].inputs != after.by_name[name].inputs
    }


@in_every_situation
def test_the_router_waits_for_the_members_of_every_color_with_a_share_and_no_other(
    deploy: Deploy, situation: str
) -> None:
    recording = a_service(deploy, **SITUATIONS[situation])

    awaited = recording.dependencies("shop-route") - ANCHORS
    assert awaited == members(WITH_A_SHARE[situation])


@in_every_situation
def test_the_flag_waits_for_the_router(deploy: Deploy, situation: str) -> None:
    recording = a_service(deploy, **SITUATIONS[situation])

    assert recording.dependencies("shop-flag") == {"shop-route"}


@in_every_situation
def test_members_without_a_share_wait_for_the_flag_and_the_others_do_not(
    deploy: Deploy, situation: str
) -> None:
    recording = a_service(deploy, **SITUATIONS[situation])

    waiting = {name for name in recording.by_name if "shop-flag" in recording.dependencies(name)}
    assert waiting == members(IDLE[situation])


@in_every_situation
def test_every_members_resource_waits_for_both_anchors(deploy: Deploy, situation: str) -> None:
    recording = a_service(deploy, **SITUATIONS[situation])

    existing = members(WITH_A_SHARE[situation] | IDLE[situation])
    assert {name for name in recording.by_name if name.endswith("-members")} == existing
    for name in existing:
        assert recording.dependencies(name) >= ANCHORS


@in_every_situation
def test_an_anchor_waits_for_nothing_that_has_a_role(deploy: Deploy, situation: str) -> None:
    recording = a_service(deploy, **SITUATIONS[situation])

    assert recording.dependencies("shop-supervisor") == set()
    assert recording.dependencies("shop-haproxy") == {"shop-supervisor"}


@in_every_situation
def test_nothing_waits_for_itself_on_any_way(deploy: Deploy, situation: str) -> None:
    recording = a_service(deploy, **SITUATIONS[situation])

    order = list(graphlib.TopologicalSorter(waits_for(recording)).static_order())

    assert set(order) == set(recording.by_urn)


@in_every_situation
def test_a_component_waits_for_nothing_itself(deploy: Deploy, situation: str) -> None:
    recording = a_service(deploy, **SITUATIONS[situation])

    # All its children would wait with it, whatever their role is.
    assert {each.dependencies for each in recording.resources if each.is_component} == {frozenset()}


def test_only_members_and_router_wait_for_something_else_when_the_roles_turn(
    deploy: Deploy,
) -> None:
    before = a_service(deploy, active_color="blue")
    after = a_service(deploy, active_color="green")

    turned = {
        name for name in before.by_name if before.dependencies(name) != after.dependencies(name)
    }
    assert turned == members({"blue", "green"}) | {"shop-route"}


def test_the_roles_decide_an_order_and_no_input_of_the_members(deploy: Deploy) -> None:
    recording = a_service(deploy)

    # What comes as a property would be a change of the resource, not only of its place.
    for name in members({"blue", "green"}):
        from_properties = recording.by_name[name].property_dependencies.values()
        names = {recording.by_urn[urn].name for urns in from_properties for urn in urns}
        assert names == {"shop-supervisor"}


def test_a_switch_changes_the_router_and_the_flag_and_nothing_else(deploy: Deploy) -> None:
    before = a_service(deploy, active_color="blue")
    after = a_service(deploy, active_color="green")

    assert [each.urn for each in before.resources if each.urn not in after.by_urn] == []
    assert differing(before, after) == FOLLOWERS
    components = [each.urn for each in before.resources if each.is_component]
    assert all(before.by_urn[urn].inputs == after.by_urn[urn].inputs == {} for urn in components)


def test_a_switch_to_a_retired_color_raises_its_members_first(deploy: Deploy) -> None:
    retired = {"color": "green", "release": "1.1"}
    before = a_service(deploy, active_color="blue", retired=retired)
    after = a_service(deploy, active_color="green", retired=retired)

    assert differing(before, after) == FOLLOWERS | members({"green"})
    assert before.by_name["shop-green-members"].inputs["replicas"] == 0
    assert after.by_name["shop-green-members"].inputs["replicas"] == 2
    assert "shop-green-members" in after.dependencies("shop-route")


def test_a_canary_changes_the_router_alone(deploy: Deploy) -> None:
    before = a_service(deploy)
    after = a_service(deploy, canary={"color": "green", "percent": 10})

    assert differing(before, after) == {"shop-route"}


def test_a_deploy_to_the_idle_color_changes_that_fleet_alone(deploy: Deploy) -> None:
    before = a_service(deploy)
    after = a_service(deploy, green={"release": "1.2"})

    assert differing(before, after) == members({"green"})


def test_the_route_takes_paths_that_are_known_before_the_proxy_is_made(deploy: Deploy) -> None:
    recording = a_service(deploy)

    # A path that comes from the proxy would make each of its changes one of the route as well.
    from_properties = recording.by_name["shop-route"].property_dependencies.values()
    assert {urn for urns in from_properties for urn in urns} == set()
    assert recording.by_name["shop-route"].inputs["stats_socket"].startswith("/")


def test_a_change_of_the_proxy_alone_leaves_the_route_as_it_is(deploy: Deploy) -> None:
    before = a_service(deploy)
    after = a_service(deploy, service={"onprem": {"command": COMMAND, "test_port": 19443}})

    assert differing(before, after) == {"shop-haproxy"}


def test_router_and_flag_are_gated_and_proxy_and_members_are_guarded(deploy: Deploy) -> None:
    recording = a_service(deploy)

    hooks = {name: each.hooks for name, each in recording.by_name.items() if each.hooks}
    guards = {
        f"shop-{color}-members": {
            "before_create": (f"shop-{color}-guard",),
            "before_update": (f"shop-{color}-guard",),
            "on_error": (f"shop-{color}-failed",),
        }
        for color in ("blue", "green")
    }
    assert hooks == guards | {
        "shop-haproxy": {
            "before_update": ("shop-anchor-guard",),
            "on_error": ("shop-anchor-failed",),
        },
        "shop-route": {
            "before_create": ("shop-router-gate",),
            "before_update": ("shop-router-gate",),
            "after_update": ("shop-router-follow",),
            "on_error": ("shop-router-failed",),
        },
        "shop-flag": {
            "before_create": ("shop-flag-follow",),
            "before_update": ("shop-flag-follow",),
            "after_create": ("shop-flag-record",),
            "after_update": ("shop-flag-record",),
            "on_error": ("shop-flag-failed",),
        },
    }


def test_the_environment_of_the_members_is_a_secret_and_is_nowhere_else(deploy: Deploy) -> None:
    recording = a_service(deploy, blue=BLUE | {"env": {"TOKEN": SECRET}})

    blue = recording.by_name["shop-blue-members"]
    assert blue.inputs["env"] == {"TOKEN": SECRET}
    assert "env" in blue.secrets
    rest = [
        {key: value for key, value in each.inputs.items() if key not in each.secrets}
        for each in recording.resources
    ]
    assert SECRET not in repr([rest, recording.outputs])


def test_outputs_say_what_the_router_has_and_not_what_was_asked_for(deploy: Deploy) -> None:
    recording = a_service(
        deploy,
        active_color="green",
        answers={"shop-route": {"active_color": "blue", "guarantee": "eventual"}},
    )

    outputs = recording.outputs_of(TOKEN)
    assert recording.by_name["shop-route"].inputs["active_color"] == "green"
    assert (outputs["active_color"], outputs["idle_color"]) == ("blue", "green")
    assert outputs["guarantee"] == "eventual"
    assert outputs["rollback_command"].startswith("pulumi config set active_color green && ")
    assert recording.stack_outputs == outputs


def test_outputs_say_what_members_and_proxy_have(deploy: Deploy) -> None:
    recording = a_service(
        deploy,
        answers={
            "shop-green-members": {"release": "0.9"},
            "shop-haproxy": {"production_url": "http://a", "test_url": "http://b"},
        },
    )

    outputs = recording.outputs_of(TOKEN)
    assert outputs["releases"] == {"blue": "1.0", "green": "0.9"}
    assert (outputs["production_url"], outputs["test_url"]) == ("http://a", "http://b")
    assert recording.stack_outputs == outputs


def test_a_program_exports_the_outputs_of_the_contract_and_no_other(deploy: Deploy) -> None:
    recording = a_service(deploy)

    assert set(recording.stack_outputs) == set(OutputName)


def test_a_color_that_is_absent_has_no_fleet_and_no_release(deploy: Deploy) -> None:
    recording = a_service(deploy, green=None)

    assert [each.name for each in recording.resources if "green" in each.name] == []
    assert recording.outputs_of(TOKEN)["releases"] == {"blue": "1.0"}


def test_the_same_config_registers_the_same_in_every_run(deploy: Deploy) -> None:
    first, second = a_service(deploy), a_service(deploy)

    # The serialised providers are inputs too: a difference there would be a change in every `up`.
    assert {each.urn: each.inputs for each in first.resources} == {
        each.urn: each.inputs for each in second.resources
    }


def test_what_is_odd_about_a_config_is_a_warning(deploy: Deploy) -> None:
    recording = a_service(deploy, retired={"color": "blue", "release": "1.0"})

    (warning,) = recording.warnings
    assert warning.startswith("shop: the retired entry for blue 1.0 has no effect: blue is active")


def test_a_program_may_have_as_many_services_as_it_likes(deploy: Deploy) -> None:
    # Pulumi's dynamic resources wrap a method of pickle, each once more, and end at some 950 with
    # a RecursionError.
    before = dict(vars(pickle._Pickler))

    a_service(deploy)

    assert dict(vars(pickle._Pickler)) == before
