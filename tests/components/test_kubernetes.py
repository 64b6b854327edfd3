"""The order and the objects of a service on Kubernetes, with both of its routers."""

import graphlib
import json
from typing import Any

import pulumi
import pytest

from bluegreen.contract import OutputName
from bluegreen.kubernetes import DeploymentService, DeploymentServiceArgs
from tests.components.conftest import Deploy, Recording, Registered
from tests.unit.written import a_config

TOKEN = "bluegreen:index:DeploymentService"
SECRET = "not-a-password"
ANCHORS = {"shop-blue", "shop-green"}
ROUTERS = ("service", "http_route")

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICE = "kubernetes:core/v1:Service"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET_TYPE = "kubernetes:core/v1:Secret"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
HTTP_ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"

NOBODY = json.dumps(
    {
        "current-context": "nobody",
        "contexts": [{"name": "nobody", "context": {"cluster": "nobody", "user": "me"}}],
        "clusters": [{"name": "nobody", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "me", "user": {}}],
    }
)
"""A cluster where nobody answers: a program asks none while it is built, but for removed colors."""

SITUATIONS: dict[str, dict[str, Any]] = {
    "blue is active": {"active_color": "blue"},
    "green is active": {"active_color": "green"},
    "green is retired": {"retired": {"color": "green", "release": "1.1"}},
    "green is absent": {"green": None},
}
CANARIES: dict[str, dict[str, Any]] = {
    "green is a canary": {"canary": {"color": "green", "percent": 10}},
    "blue is a canary": {"active_color": "green", "canary": {"color": "blue", "percent": 10}},
}
WITH_A_SHARE = {
    "blue is active": {"blue"},
    "green is active": {"green"},
    "green is retired": {"blue"},
    "green is absent": {"blue"},
    "green is a canary": {"blue", "green"},
    "blue is a canary": {"blue", "green"},
}
IDLE = {
    "blue is active": {"green"},
    "green is active": {"blue"},
    "green is retired": {"green"},
    "green is absent": set(),
    "green is a canary": set(),
    "blue is a canary": set(),
}

in_every_situation = pytest.mark.parametrize(
    ("router", "situation"),
    [
        *((router, situation) for router in ROUTERS for situation in SITUATIONS),
        # A Service cannot split.
        *(("http_route", situation) for situation in CANARIES),
    ],
)
with_every_router = pytest.mark.parametrize("router", ROUTERS)


def config_of(
    router: str = "service",
    *,
    service: dict[str, Any] | None = None,
    kubernetes: dict[str, Any] | None = None,
    **changes: Any,
) -> Any:
    settings: dict[str, Any] = {
        "namespace": "shops",
        "image": "ghcr.io/acme/shop:{release}",
        "router": router,
        "gateway": {"name": "front"},
        **(kubernetes or {}),
    }
    whole = {"platform": "kubernetes", "kubernetes": settings, **(service or {})}
    return a_config(service=whole, **changes)  # type: ignore[no-untyped-call]


def a_service(
    deploy: Deploy,
    router: str = "service",
    *,
    answers: dict[str, dict[str, Any]] | None = None,
    **changes: Any,
) -> Recording:
    args = DeploymentServiceArgs(config=config_of(router, **changes), kubeconfig=NOBODY)

    def program() -> None:
        for name, value in DeploymentService("shop", args).stack_outputs().items():
            pulumi.export(name, value)

    return deploy(program, answers=answers)


def in_situation(deploy: Deploy, router: str, situation: str) -> Recording:
    return a_service(deploy, router, **(SITUATIONS | CANARIES)[situation])


def members(colors: set[str]) -> set[str]:
    return {f"shop-{color}-members" for color in colors}


def differing(before: Recording, after: Recording) -> set[str]:
    """The names of the resources that a later program describes otherwise."""
    return {
        name
        for name in before.by_name.keys() | after.by_name.keys()
        if before.by_name[name].inputs != after.by_name[name].inputs
    }


def parts(recording: Recording) -> dict[str, tuple[str, str]]:
    """Type and parent's type of everything that a provider manages, by name."""
    return {
        name: (each.type, recording.by_urn[each.parent].type)
        for name, each in recording.by_name.items()
    }


def named(recording: Recording, name: str) -> tuple[str, str, str]:
    """Kind, namespace and name of an object in the cluster."""
    inputs = recording.by_name[name].inputs
    return inputs["kind"], inputs["metadata"]["namespace"], inputs["metadata"]["name"]


@with_every_router
def test_a_service_is_two_fleets_two_anchors_a_router_and_its_followers(
    deploy: Deploy, router: str
) -> None:
    recording = a_service(deploy, router)

    fleet = {
        "members": (DEPLOYMENT, "bluegreen:index:DeploymentFleet"),
        "budget": (BUDGET, "bluegreen:index:DeploymentFleet"),
    }
    route = {
        "service": (SERVICE, "bluegreen:index:ServiceRouter"),
        "http_route": (HTTP_ROUTE, "bluegreen:index:HttpRouteRouter"),
    }
    assert parts(recording) == {
        **{f"shop-{color}": (SERVICE, TOKEN) for color in ("blue", "green")},
        **{
            f"shop-{color}-{part}": found
            for color in ("blue", "green")
            for part, found in fleet.items()
        },
        "shop-route": route[router],
        "shop-flag": (CONFIG_MAP, TOKEN),
        "shop-test": (SERVICE, TOKEN),
    }


@with_every_router
def test_objects_are_called_after_the_service_in_its_namespace(deploy: Deploy, router: str) -> None:
    recording = a_service(deploy, router)

    kind = "Service" if router == "service" else "HTTPRoute"
    assert {name: named(recording, name) for name in recording.by_name} == {
        "shop-blue": ("Service", "shops", "shop-blue"),
        "shop-green": ("Service", "shops", "shop-green"),
        "shop-blue-members": ("Deployment", "shops", "shop-blue"),
        "shop-green-members": ("Deployment", "shops", "shop-green"),
        "shop-blue-budget": ("PodDisruptionBudget", "shops", "shop-blue"),
        "shop-green-budget": ("PodDisruptionBudget", "shops", "shop-green"),
        "shop-route": (kind, "shops", "shop"),
        "shop-flag": ("ConfigMap", "shops", "shop-active"),
        "shop-test": ("Service", "shops", "shop-test"),
    }


# The order.


@in_every_situation
def test_the_router_waits_for_the_members_of_every_color_with_a_share_and_no_other(
    deploy: Deploy, router: str, situation: str
) -> None:
    recording = in_situation(deploy, router, situation)

    awaited = recording.dependencies("shop-route")
    assert awaited == ANCHORS | members(WITH_A_SHARE[situation])


@in_every_situation
def test_followers_wait_for_the_router_one_after_the_other(
    deploy: Deploy, router: str, situation: str
) -> None:
    recording = in_situation(deploy, router, situation)

    assert recording.dependencies("shop-flag") == {"shop-route"}
    assert recording.dependencies("shop-test") == {"shop-flag"}


@in_every_situation
def test_members_without_a_share_wait_for_the_flag_and_the_others_do_not(
    deploy: Deploy, router: str, situation: str
) -> None:
    recording = in_situation(deploy, router, situation)

    waiting = {name for name in recording.by_name if "shop-flag" in recording.dependencies(name)}
    assert waiting == members(IDLE[situation]) | {"shop-test"}


@in_every_situation
def test_all_members_wait_for_both_anchors_and_anchors_for_nothing(
    deploy: Deploy, router: str, situation: str
) -> None:
    recording = in_situation(deploy, router, situation)

    existing = members(WITH_A_SHARE[situation] | IDLE[situation])
    assert {name for name, each in recording.by_name.items() if each.type == DEPLOYMENT} == existing
    for name in existing:
        assert recording.dependencies(name) >= ANCHORS
    assert {name: recording.dependencies(name) for name in ANCHORS} == {
        name: set() for name in ANCHORS
    }


@in_every_situation
def test_nothing_waits_for_itself_on_any_way(deploy: Deploy, router: str, situation: str) -> None:
    recording = in_situation(deploy, router, situation)
    waits_for = {
        each.urn: {*each.dependencies, *filter(None, [each.parent])}
        for each in recording.by_urn.values()
    }

    order = list(graphlib.TopologicalSorter(waits_for).static_order())

    assert set(order) == set(recording.by_urn)


@in_every_situation
def test_a_component_waits_for_nothing_itself(deploy: Deploy, router: str, situation: str) -> None:
    recording = in_situation(deploy, router, situation)

    # All its children would wait with it, whatever their role is.
    assert {each.dependencies for each in recording.resources if each.is_component} == {frozenset()}


@with_every_router
def test_nothing_is_a_property_of_another_resource(deploy: Deploy, router: str) -> None:
    recording = a_service(deploy, router)

    # A value from another resource would make each of its changes one of this as well.
    from_properties = {
        urn
        for each in recording.by_name.values()
        for urns in each.property_dependencies.values()
        for urn in urns
    }
    assert from_properties == set()


@with_every_router
def test_a_switch_keeps_every_urn_and_changes_router_flag_and_test_service_alone(
    deploy: Deploy, router: str
) -> None:
    before = a_service(deploy, router, active_color="blue")
    after = a_service(deploy, router, active_color="green")

    assert set(before.by_urn) == set(after.by_urn)
    assert differing(before, after) == {"shop-route", "shop-flag", "shop-test"}


@with_every_router
def test_only_members_and_router_wait_for_something_else_when_the_roles_turn(
    deploy: Deploy, router: str
) -> None:
    before = a_service(deploy, router, active_color="blue")
    after = a_service(deploy, router, active_color="green")

    turned = {
        name for name in before.by_name if before.dependencies(name) != after.dependencies(name)
    }
    assert turned == members({"blue", "green"}) | {"shop-route"}


@with_every_router
def test_a_deploy_to_the_idle_color_changes_its_members_alone(deploy: Deploy, router: str) -> None:
    before = a_service(deploy, router)
    after = a_service(deploy, router, green={"release": "1.2"})

    assert set(before.by_urn) == set(after.by_urn)
    assert differing(before, after) == members({"green"})


@with_every_router
def test_a_deploy_with_a_switch_brings_the_release_before_the_traffic(
    deploy: Deploy, router: str
) -> None:
    before = a_service(deploy, router)
    after = a_service(deploy, router, active_color="green", green={"release": "1.2"})

    followers = {"shop-flag", "shop-test"}
    assert differing(before, after) == members({"green"}) | {"shop-route"} | followers
    assert "shop-green-members" in after.dependencies("shop-route")


@with_every_router
def test_a_retired_color_keeps_its_objects_and_no_members(deploy: Deploy, router: str) -> None:
    retired = {"color": "green", "release": "1.1"}
    before = a_service(deploy, router)
    after = a_service(deploy, router, retired=retired)

    assert set(before.by_urn) == set(after.by_urn)
    assert differing(before, after) == members({"green"}) | {"shop-green-budget"}
    assert after.by_name["shop-green-members"].inputs["spec"]["replicas"] == 0


@with_every_router
def test_a_switch_to_a_retired_color_raises_its_members_first(deploy: Deploy, router: str) -> None:
    retired = {"color": "green", "release": "1.1"}
    after = a_service(deploy, router, active_color="green", retired=retired)

    assert after.by_name["shop-green-members"].inputs["spec"]["replicas"] == 2
    assert "shop-green-members" in after.dependencies("shop-route")


def test_a_canary_changes_the_route_alone(deploy: Deploy) -> None:
    before = a_service(deploy, "http_route")
    after = a_service(deploy, "http_route", canary={"color": "green", "percent": 10})

    assert differing(before, after) == {"shop-route"}


@with_every_router
def test_a_color_that_is_absent_has_an_address_and_nothing_else(
    deploy: Deploy, router: str
) -> None:
    recording = a_service(deploy, router, green=None)

    # The address is there before the first member, so that the router can always name it.
    assert [name for name in recording.by_name if "green" in name] == ["shop-green"]
    assert recording.outputs_of(TOKEN)["releases"] == {"blue": "1.0"}


@with_every_router
def test_the_same_config_registers_the_same_in_every_run(deploy: Deploy, router: str) -> None:
    secrets = {"secrets": {"TOKEN": SECRET}, "env": {"A": "1"}}
    first, second = (a_service(deploy, router, kubernetes=secrets) for _ in range(2))

    assert {each.urn: each.inputs for each in first.resources} == {
        each.urn: each.inputs for each in second.resources
    }


# What is in the objects.


def spec_of(recording: Recording, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = recording.by_name[name].inputs["spec"]
    return spec


def test_selectors_say_the_roles_and_a_colors_own_never_changes(deploy: Deploy) -> None:
    before = a_service(deploy, active_color="blue")
    after = a_service(deploy, active_color="green")

    blue, green = ({"app": "shop", "color": color} for color in ("blue", "green"))
    selectors = {
        name: tuple(spec_of(each, name)["selector"] for each in (before, after))
        for name in ("shop-route", "shop-test", "shop-blue", "shop-green")
    }
    assert selectors == {
        "shop-route": (blue, green),
        "shop-test": (green, blue),
        "shop-blue": (blue, blue),
        "shop-green": (green, green),
    }
    for color, labels in (("blue", blue), ("green", green)):
        spec = spec_of(before, f"shop-{color}-members")
        assert spec["selector"] == {"matchLabels": labels}
        assert spec["template"]["metadata"]["labels"] == labels


def test_every_service_leads_from_the_port_of_production_to_the_members(deploy: Deploy) -> None:
    recording = a_service(deploy, service={"port": 8000}, kubernetes={"container_port": 9000})

    services = [name for name, each in recording.by_name.items() if each.type == SERVICE]
    assert len(services) == 4
    for name in services:
        # Without a name: an adopted one keeps its own.
        assert spec_of(recording, name)["ports"] == [
            {"port": 8000, "targetPort": 9000, "protocol": "TCP"}
        ]


def test_a_route_names_both_colors_and_who_is_active(deploy: Deploy) -> None:
    canary = {"color": "green", "percent": 10}
    route = a_service(deploy, "http_route", canary=canary).by_name["shop-route"].inputs

    assert [each["weight"] for each in route["spec"]["rules"][-1]["backendRefs"]] == [90, 10]
    assert route["metadata"]["annotations"]["bluegreen.dev/active-color"] == "blue"


@with_every_router
def test_our_own_hooks_wait_for_services_and_members_and_not_the_provider(
    deploy: Deploy, router: str
) -> None:
    recording = a_service(deploy, router)

    awaited = {
        name
        for name, each in recording.by_name.items()
        if each.type in {SERVICE, DEPLOYMENT, HTTP_ROUTE}
        and each.inputs["metadata"]["annotations"].get("pulumi.com/skipAwait") != "true"
    }
    assert awaited == set()


@with_every_router
def test_router_and_members_take_fields_over_from_somebodys_hands(
    deploy: Deploy, router: str
) -> None:
    recording = a_service(deploy, router)

    forced = [
        name
        for name, each in recording.by_name.items()
        if "pulumi.com/patchForce" in (each.inputs["metadata"].get("annotations") or {})
    ]
    assert sorted(forced) == ["shop-blue-members", "shop-green-members", "shop-route"]


def test_members_are_exchanged_without_a_gap(deploy: Deploy) -> None:
    spec = spec_of(a_service(deploy, blue={"release": "1.0", "replicas": 3}), "shop-blue-members")

    assert spec["replicas"] == 3
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_one_member_of_a_color_may_be_missing_unless_it_is_retired(deploy: Deploy) -> None:
    recording = a_service(deploy, retired={"color": "green", "release": "1.1"})

    budgets = {
        color: spec_of(recording, f"shop-{color}-budget")["maxUnavailable"]
        for color in ("blue", "green")
    }
    assert budgets == {"blue": 1, "green": "100%"}


def variables_of(recording: Recording, type_: str) -> Registered:
    (found,) = [each for each in recording.resources if each.type == type_]
    return found


def test_variables_are_immutable_objects_that_come_before_the_members(deploy: Deploy) -> None:
    blue = {"release": "1.0", "env": {"MODE": "calm"}, "secrets": {"TOKEN": SECRET}}
    recording = a_service(deploy, blue=blue)

    plain = next(each for name, each in recording.by_name.items() if "-blue-env-" in name)
    secret = variables_of(recording, SECRET_TYPE)
    assert plain.inputs["data"] == {"MODE": "calm"}
    assert secret.inputs["stringData"] == {"TOKEN": SECRET}
    assert plain.inputs["immutable"] is secret.inputs["immutable"] is True
    assert recording.dependencies("shop-blue-members") >= {plain.name, secret.name}
    spec = spec_of(recording, "shop-blue-members")["template"]["spec"]
    assert spec["containers"][0]["envFrom"] == [
        {"configMapRef": {"name": plain.inputs["metadata"]["name"]}},
        {"secretRef": {"name": secret.inputs["metadata"]["name"]}},
    ]


def test_a_secret_is_encrypted_and_is_nowhere_else(deploy: Deploy) -> None:
    recording = a_service(
        deploy,
        kubernetes={"secrets": {"TOKEN": SECRET}},
        blue={"release": "1.0", "secrets": {"PASSWORD": SECRET}},
    )

    secrets = [each for each in recording.resources if each.type == SECRET_TYPE]
    assert [sorted(each.inputs["stringData"]) for each in secrets] == [
        ["PASSWORD", "TOKEN"],
        ["TOKEN"],
    ]
    assert all("stringData" in each.secrets for each in secrets)
    rest = [
        (each.urn, {key: value for key, value in each.inputs.items() if key not in each.secrets})
        for each in recording.resources
    ]
    assert SECRET not in repr([rest, recording.outputs, recording.hooks, recording.warnings])


def test_other_variables_are_other_objects_and_the_old_ones_go_last(deploy: Deploy) -> None:
    before = a_service(deploy, green={"release": "1.1", "env": {"MODE": "calm"}})
    after = a_service(deploy, green={"release": "1.1", "env": {"MODE": "loud"}})

    gone = before.by_name.keys() - after.by_name.keys()
    come = after.by_name.keys() - before.by_name.keys()
    # Another resource and not a replacement: what is not in the program any more ends last.
    assert len(gone) == len(come) == 1
    assert come <= after.dependencies("shop-green-members")


# The hooks.


@with_every_router
def test_router_and_flag_are_gated_and_members_are_guarded_and_waited_for(
    deploy: Deploy, router: str
) -> None:
    recording = a_service(deploy, router)

    hooks = {name: each.hooks for name, each in recording.by_name.items() if each.hooks}
    guards = {
        f"shop-{color}-members": {
            "before_create": (f"shop-{color}-guard",),
            "before_update": (f"shop-{color}-guard", f"shop-{color}-keep"),
            "after_create": (f"shop-{color}-raise", f"shop-{color}-ready"),
            "after_update": (f"shop-{color}-raise", f"shop-{color}-ready"),
            "on_error": (f"shop-{color}-failed",),
        }
        for color in ("blue", "green")
    }
    assert hooks == guards | {
        "shop-route": {
            "before_create": ("shop-router-gate",),
            "before_update": ("shop-router-guard", "shop-router-gate"),
            "after_update": ("shop-router-follow",),
            "on_error": ("shop-router-failed",),
        },
        "shop-flag": {
            "before_create": ("shop-flag-follow",),
            "before_update": ("shop-flag-follow", "shop-flag-write"),
            "after_create": ("shop-flag-write", "shop-flag-record"),
            "after_update": ("shop-flag-record",),
            "on_error": ("shop-flag-failed",),
        },
    }


# The outputs.


def test_outputs_say_what_the_service_has_and_not_what_was_asked_for(deploy: Deploy) -> None:
    spec = {"selector": {"app": "shop", "color": "blue"}}
    recording = a_service(deploy, active_color="green", answers={"shop-route": {"spec": spec}})

    outputs = recording.outputs_of(TOKEN)
    assert (outputs["active_color"], outputs["idle_color"]) == ("blue", "green")
    assert outputs["rollback_command"].startswith("pulumi config set active_color green && ")
    assert recording.stack_outputs == outputs


def test_outputs_say_what_the_route_has_and_not_what_was_asked_for(deploy: Deploy) -> None:
    metadata = {"annotations": {"bluegreen.dev/active-color": "blue"}}
    recording = a_service(
        deploy, "http_route", active_color="green", answers={"shop-route": {"metadata": metadata}}
    )

    outputs = recording.outputs_of(TOKEN)
    assert (outputs["active_color"], outputs["idle_color"]) == ("blue", "green")


@with_every_router
def test_outputs_say_which_releases_the_members_have(deploy: Deploy, router: str) -> None:
    metadata = {"annotations": {"bluegreen.dev/release": "0.9"}}
    spec = {"replicas": 1, "template": {"metadata": metadata}}
    recording = a_service(deploy, router, answers={"shop-green-members": {"spec": spec}})

    outputs = recording.outputs_of(TOKEN)
    assert outputs["releases"] == {"blue": "1.0", "green": "0.9"}
    assert outputs["guarantee"] == "single write"


@pytest.mark.parametrize(
    ("service", "kubernetes", "production"),
    [
        ({}, {}, "http://shop.shops.svc"),
        ({"port": 8080}, {}, "http://shop.shops.svc:8080"),
        ({}, {"production_url": "https://shop.example"}, "https://shop.example"),
    ],
)
def test_addresses_are_those_of_the_services_unless_production_has_its_own(
    deploy: Deploy, service: dict[str, Any], kubernetes: dict[str, Any], production: str
) -> None:
    recording = a_service(deploy, service=service, kubernetes=kubernetes)

    outputs = recording.outputs_of(TOKEN)
    port = ":8080" if service else ""
    assert outputs["production_url"] == production
    assert outputs["test_url"] == f"http://shop-test.shops.svc{port}"


@with_every_router
def test_a_program_exports_the_outputs_of_the_contract_and_no_other(
    deploy: Deploy, router: str
) -> None:
    recording = a_service(deploy, router)

    assert set(recording.stack_outputs) == set(OutputName)
    assert recording.stack_outputs == recording.outputs_of(TOKEN)


# Several of them.


def test_two_services_may_be_in_one_program_with_routers_of_their_own(deploy: Deploy) -> None:
    def program() -> None:
        for name, router in (("shop", "service"), ("basket", "http_route")):
            config = config_of(router, service={"name": name})
            DeploymentService(name, DeploymentServiceArgs(config=config, kubeconfig=NOBODY))

    recording = deploy(program)

    assert [each.type for each in recording.resources].count(TOKEN) == 2
    for name in recording.by_name:
        own = name.partition("-")[0]
        assert {each.partition("-")[0] for each in recording.dependencies(name)} <= {own}
    assert len(recording.hooks) == len(set(recording.hooks))


def test_a_service_of_the_same_name_may_be_in_two_namespaces(deploy: Deploy) -> None:
    def program() -> None:
        for namespace in ("one", "two"):
            config = config_of(
                kubernetes={"namespace": namespace, "secrets": {"A": SECRET}, "env": {"B": "1"}}
            )
            args = DeploymentServiceArgs(config=config, kubeconfig=NOBODY)
            DeploymentService(f"shop-{namespace}", args)

    recording = deploy(program)

    secrets = [each for each in recording.resources if each.type == SECRET_TYPE]
    assert {each.inputs["metadata"]["namespace"] for each in secrets} == {"one", "two"}
    assert len(secrets) == 4


def test_without_a_namespace_it_is_the_one_of_the_context(deploy: Deploy) -> None:
    config = json.loads(NOBODY)
    config["contexts"][0]["context"]["namespace"] = "team-a"
    settings = config_of(kubernetes={"namespace": None})

    def program() -> None:
        args = DeploymentServiceArgs(config=settings, kubeconfig=json.dumps(config))
        DeploymentService("shop", args)

    recording = deploy(program)

    assert {each.inputs["metadata"]["namespace"] for each in recording.by_name.values()} == {
        "team-a"
    }


def test_without_a_cluster_it_is_the_default_namespace(deploy: Deploy) -> None:
    settings = config_of(kubernetes={"namespace": None})

    def program() -> None:
        args = DeploymentServiceArgs(config=settings, kubeconfig="/nobody/kubeconfig")
        DeploymentService("shop", args)

    recording = deploy(program)

    assert named(recording, "shop-route") == ("Service", "default", "shop")
