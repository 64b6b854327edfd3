"""The house rules, asked of every component of the library. A new component needs a row."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

import bluegreen
from bluegreen.aws import (
    AlbRouter,
    AlbRouterArgs,
    AsgFleet,
    AsgFleetArgs,
    AsgService,
    AsgServiceArgs,
)
from bluegreen.aws.names import names_of
from bluegreen.colors import Color
from bluegreen.kubernetes import (
    DeploymentFleet,
    DeploymentFleetArgs,
    DeploymentService,
    DeploymentServiceArgs,
    HttpRouteRouter,
    KubernetesRouterArgs,
    ServiceRouter,
)
from bluegreen.kubernetes.names import ObjectNames
from bluegreen.onprem import (
    HaproxyRouter,
    HaproxyRouterArgs,
    ProcessFleet,
    ProcessFleetArgs,
    ProcessService,
    ProcessServiceArgs,
)
from bluegreen.overrides import Overrides
from bluegreen.plan import make_plan
from tests.components.aws_service import config_of as aws_config
from tests.components.conftest import Deploy, Recording, Registered
from tests.unit.written import a_config

Component = type[Any]

CONFIG = a_config()  # type: ignore[no-untyped-call]
PLAN = make_plan(CONFIG, Overrides.read({}))

# With variables, so that the objects for them are seen too.
ON_KUBERNETES = a_config(  # type: ignore[no-untyped-call]
    service={
        "platform": "kubernetes",
        "kubernetes": {
            "namespace": "shops",
            "image": "shop:{release}",
            "env": {"MODE": "calm"},
            "secrets": {"TOKEN": "not-a-password"},
            "router": "http_route",
            "gateway": {"name": "front", "pin_header": "X-Color"},
        },
    }
)
KUBERNETES_PLAN = make_plan(ON_KUBERNETES, Overrides.read({}))
NAMES = ObjectNames("shop", "shops")
KUBERNETES_ROUTER = KubernetesRouterArgs(
    settings=ON_KUBERNETES.service, names=NAMES, route=KUBERNETES_PLAN.route
)

ON_AWS = aws_config()
AWS_PLAN = make_plan(ON_AWS, Overrides.read({}))
AWS_NAMES = names_of("shop", "shop/test", ON_AWS.service.aws)

MINIMAL_ARGS: Mapping[Component, Any] = {
    ProcessService: ProcessServiceArgs(config=CONFIG),
    ProcessFleet: ProcessFleetArgs(
        settings=CONFIG.service,
        plan=PLAN.fleets[Color.BLUE],
        directory=Path("/project"),
        run_directory="/run/shop",
    ),
    HaproxyRouter: HaproxyRouterArgs(
        service="shop",
        route=PLAN.route,
        stats_socket="/run/shop/haproxy.sock",
        map_path="/run/shop/traffic.map",
    ),
    DeploymentService: DeploymentServiceArgs(config=ON_KUBERNETES),
    DeploymentFleet: DeploymentFleetArgs(
        settings=ON_KUBERNETES.service, plan=KUBERNETES_PLAN.fleets[Color.BLUE], names=NAMES
    ),
    ServiceRouter: KUBERNETES_ROUTER,
    HttpRouteRouter: KUBERNETES_ROUTER,
    AsgService: AsgServiceArgs(config=ON_AWS),
    AsgFleet: AsgFleetArgs(
        settings=ON_AWS.service,
        plan=AWS_PLAN.fleets[Color.BLUE],
        names=AWS_NAMES,
        target_group_arn="blue",
        subnet_ids=["subnet-1"],
        security_group_ids=["sg-1"],
    ),
    AlbRouter: AlbRouterArgs(
        settings=ON_AWS.service,
        names=AWS_NAMES,
        route=AWS_PLAN.route,
        load_balancer_arn="balancer",
        target_group_arns={color: str(color) for color in Color},
        certificate_arn="certificate",
    ),
}

NAME = "checkout"


def public_components() -> set[Component]:
    found: set[Component] = set()
    for module in pkgutil.walk_packages(bluegreen.__path__, "bluegreen."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            is_component = isinstance(value, type) and issubclass(value, pulumi.ComponentResource)
            if is_component and value.__module__ == module.name and not name.startswith("_"):
                found.add(value)
    # What several services have in common is no component by itself.
    bases = {base for each in found for base in each.__mro__[1:]}
    return found - bases


def outputs_of(component: Component) -> set[str]:
    """What the class and those it builds on declare."""
    own = [each for each in component.__mro__ if each.__module__.startswith("bluegreen.")]
    names = {name for each in own for name in inspect.get_annotations(each)}
    return {name for name in names if not name.startswith("_")}


def token_of(component: Component) -> str:
    return f"bluegreen:index:{component.__name__}"


every_component = pytest.mark.parametrize(
    "component", list(MINIMAL_ARGS), ids=lambda component: component.__name__
)


def made(deploy: Deploy, component: Component) -> tuple[Recording, Registered, list[Registered]]:
    """One instance: what was recorded, the component itself, everything else."""
    recording = deploy(lambda: component(NAME, MINIMAL_ARGS[component]))
    (itself,) = [each for each in recording.resources if each.type == token_of(component)]
    return recording, itself, [each for each in recording.resources if each is not itself]


def test_every_public_component_has_a_row_here() -> None:
    assert public_components() == set(MINIMAL_ARGS)


@every_component
def test_a_component_takes_a_name_args_and_options(component: Component) -> None:
    parameters = inspect.signature(component).parameters

    assert list(parameters) == ["name", "args", "opts"]
    assert parameters["args"].annotation is type(MINIMAL_ARGS[component])
    assert type(MINIMAL_ARGS[component]).__name__.endswith("Args")
    assert parameters["opts"].default is None


@every_component
def test_a_component_has_the_type_its_class_name_says(deploy: Deploy, component: Component) -> None:
    recording, itself, _ = made(deploy, component)

    assert itself.name == NAME
    assert recording.by_urn[itself.parent].type == "pulumi:pulumi:Stack"


@every_component
def test_everything_a_component_makes_is_below_it(deploy: Deploy, component: Component) -> None:
    recording, itself, others = made(deploy, component)

    assert others
    assert [each.urn for each in others if itself not in recording.ancestors(each)] == []


@every_component
def test_every_child_carries_the_name_of_the_component(
    deploy: Deploy, component: Component
) -> None:
    _, _, others = made(deploy, component)

    strangers = [each.name for each in others if not f"{each.name}-".startswith(f"{NAME}-")]
    assert strangers == []


@every_component
def test_a_component_registers_exactly_the_outputs_it_declares(
    deploy: Deploy, component: Component
) -> None:
    recording, itself, _ = made(deploy, component)

    registered = recording.outputs[itself.urn]
    assert set(registered) == outputs_of(component)
    assert [name for name, value in registered.items() if value is None] == []


@every_component
def test_no_component_has_delete_hooks(deploy: Deploy, component: Component) -> None:
    recording, _, _ = made(deploy, component)

    # The engine would demand them from every later program, and from `pulumi destroy`.
    kinds = {kind for each in recording.resources for kind in each.hooks}
    assert kinds & {"before_delete", "after_delete"} == set()


@every_component
def test_hooks_are_named_after_the_component(deploy: Deploy, component: Component) -> None:
    recording, _, _ = made(deploy, component)

    # One name space for the whole program: two services must not meet in it.
    assert [name for name in recording.hooks if not name.startswith(f"{NAME}-")] == []


@every_component
def test_every_hook_that_is_made_is_bound_to_a_resource(
    deploy: Deploy, component: Component
) -> None:
    recording, _, _ = made(deploy, component)

    bound = {
        name for each in recording.resources for names in each.hooks.values() for name in names
    }
    assert bound == set(recording.hooks)


@every_component
def test_two_of_a_kind_can_be_in_one_program(deploy: Deploy, component: Component) -> None:
    def program() -> None:
        for name in (NAME, "basket"):
            component(name, MINIMAL_ARGS[component])

    recording = deploy(program)

    assert [each.type for each in recording.resources].count(token_of(component)) == 2


@every_component
def test_a_component_hangs_below_the_parent_its_user_gives_it(
    deploy: Deploy, component: Component
) -> None:
    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        component(NAME, MINIMAL_ARGS[component], pulumi.ResourceOptions(parent=parent))

    recording = deploy(program)

    itself = recording.component(token_of(component))
    assert recording.by_urn[itself.parent].name == "parent"
    below_itself = [each for each in recording.resources if itself in recording.ancestors(each)]
    assert len(below_itself) == len(recording.resources) - 2
