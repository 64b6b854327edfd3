"""What is registered where an autoscaler owns the number of members, and where the program does."""

from typing import Any

import pulumi
import pytest

from bluegreen.kubernetes import DeploymentService, DeploymentServiceArgs
from tests.components.conftest import Deploy, Recording
from tests.unit.written import a_config

AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
BOUNDS = {"min_replicas": 3, "max_replicas": 12, "cpu_percent": 65}
RETIRED = {"retired": {"color": "green", "release": "1.1"}}
MARK = "bluegreen.dev/autoscaled"
FORCE = "pulumi.com/patchForce"


def a_service(deploy: Deploy, *, autoscaling: Any = BOUNDS, **changes: Any) -> Recording:
    kubernetes = {
        "namespace": "default",
        "image": "shop:{release}",
        "resources": {"requests": {"cpu": "100m"}},
        **({"autoscaling": autoscaling} if autoscaling else {}),
    }
    service = {"platform": "kubernetes", "kubernetes": kubernetes}
    config = a_config(service=service, **changes)  # type: ignore[no-untyped-call]

    def program() -> None:
        made = DeploymentService("shop", DeploymentServiceArgs(config=config))
        for name, value in made.stack_outputs().items():
            pulumi.export(name, value)

    return deploy(program)


def members(recording: Recording, color: str) -> dict[str, Any]:
    return dict(recording.by_name[f"shop-{color}-members"].inputs)


def autoscalers(recording: Recording) -> set[str]:
    return {each.name for each in recording.resources if each.type == AUTOSCALER}


def test_each_color_has_an_autoscaler_that_grows_at_once_and_shrinks_slowly(
    deploy: Deploy,
) -> None:
    recording = a_service(deploy)

    assert autoscalers(recording) == {"shop-blue-autoscaler", "shop-green-autoscaler"}
    green = recording.by_name["shop-green-autoscaler"].inputs
    assert green["metadata"] == {
        "name": "shop-green",
        "namespace": "default",
        "labels": {"app": "shop", "color": "green"},
    }
    assert green["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop-green"},
        "minReplicas": 3,
        "maxReplicas": 12,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 65},
                },
            }
        ],
        "behavior": {
            "scaleUp": {
                "stabilizationWindowSeconds": 0,
                "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
            },
            "scaleDown": {
                "stabilizationWindowSeconds": 300,
                "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}],
            },
        },
    }


def test_by_default_an_autoscaler_keeps_two_members_and_aims_at_seventy_percent(
    deploy: Deploy,
) -> None:
    spec = a_service(deploy, autoscaling={"max_replicas": 20}).by_name["shop-blue-autoscaler"]

    (metric,) = spec.inputs["spec"]["metrics"]
    assert (spec.inputs["spec"]["minReplicas"], spec.inputs["spec"]["maxReplicas"]) == (2, 20)
    assert metric["resource"]["target"]["averageUtilization"] == 70


def test_the_program_says_no_number_where_an_autoscaler_does(deploy: Deploy) -> None:
    recording = a_service(deploy, blue={"release": "1.0", "replicas": 7})

    for color in ("blue", "green"):
        assert "replicas" not in members(recording, color)["spec"]
        annotations = members(recording, color)["metadata"]["annotations"]
        assert annotations[MARK] == "3-12"
        assert FORCE not in annotations


def test_without_autoscaling_the_number_is_the_programs_and_is_taken_from_whoever_has_it(
    deploy: Deploy,
) -> None:
    recording = a_service(deploy, autoscaling=None, blue={"release": "1.0", "replicas": 7})

    assert autoscalers(recording) == set()
    blue = members(recording, "blue")
    assert blue["spec"]["replicas"] == 7
    assert blue["metadata"]["annotations"][FORCE] == "true"
    assert MARK not in blue["metadata"]["annotations"]


def test_a_retired_color_has_no_autoscaler_and_the_programs_number(deploy: Deploy) -> None:
    recording = a_service(deploy, **RETIRED)

    assert autoscalers(recording) == {"shop-blue-autoscaler"}
    assert members(recording, "green")["spec"]["replicas"] == 0
    assert MARK not in members(recording, "green")["metadata"]["annotations"]


@pytest.mark.parametrize("active", ["blue", "green"])
def test_a_switch_changes_no_color_and_no_autoscaler(deploy: Deploy, active: str) -> None:
    before = a_service(deploy, active_color="blue")
    after = a_service(deploy, active_color=active)

    for color in ("blue", "green"):
        for part in ("members", "autoscaler"):
            name = f"shop-{color}-{part}"
            assert before.by_name[name].inputs == after.by_name[name].inputs


def test_the_router_waits_for_the_autoscaler_of_the_color_that_gets_traffic_and_of_no_other(
    deploy: Deploy,
) -> None:
    recording = a_service(deploy, active_color="green")

    waited_for = recording.dependencies("shop-route")
    assert {"shop-green-members", "shop-green-autoscaler"} <= waited_for
    assert not waited_for & {"shop-blue-members", "shop-blue-autoscaler"}
    assert recording.dependencies("shop-blue-autoscaler") == {"shop-blue-members"}


def test_members_are_kept_before_the_write_and_raised_after_it_and_before_readiness_is_asked(
    deploy: Deploy,
) -> None:
    recording = a_service(deploy)

    hooks = recording.by_name["shop-blue-members"].hooks
    assert hooks["before_create"] == ("shop-blue-guard",)
    assert hooks["before_update"] == ("shop-blue-guard", "shop-blue-keep")
    assert hooks["after_create"] == ("shop-blue-raise", "shop-blue-ready")
    assert hooks["after_update"] == ("shop-blue-raise", "shop-blue-ready")
    assert recording.by_name["shop-blue-autoscaler"].hooks["before_create"] == ("shop-blue-wake",)
