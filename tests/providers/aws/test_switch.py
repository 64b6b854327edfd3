"""The update that the whole library is about, in its plainest form."""

import json

import pytest

SERVICE = """
    active = config.get("active") or "blue"
    groups = {color: target_group(color, deregistration_delay=30) for color in ("blue", "green")}
    weights = [(groups[color], 100 if color == active else 0) for color in groups]
    production = listener("production", forward(weights))
    aws.ssm.Parameter(
        "active-color",
        name=f"/{config.require('port')}/active-color",
        type="String",
        value=active,
        opts=pulumi.ResourceOptions(depends_on=[production]),
    )
    pulumi.export("listener", production.arn)
    pulumi.export("delay", groups["blue"].deregistration_delay)
    for color, group in groups.items():
        pulumi.export(color, group.arn)
"""


def weights_of(elb, outputs):
    found = elb.describe_listeners(ListenerArns=[outputs["listener"]])["Listeners"][0]
    groups = found["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    colors = {outputs[color]: color for color in ("blue", "green")}
    return {colors[group["TargetGroupArn"]]: group["Weight"] for group in groups}


@pytest.fixture
def elb(world):
    return world.client("elbv2")


def test_a_service_is_made_left_alone_switched_and_destroyed(program, elb, world):
    stack = program(SERVICE)

    result = stack.up()
    assert result.ok, result
    outputs = stack.outputs()
    assert weights_of(elb, outputs) == {"blue": 100, "green": 0}
    assert outputs["delay"] == 30

    result = stack.up()
    assert result.ok, result
    assert result.planned == result.steps == ()

    stack.configure("active", "green")
    result = stack.up()
    assert [(step.name, step.op) for step in result.steps] == [
        ("production", "update"),
        ("active-color", "update"),
    ], result
    assert weights_of(elb, outputs) == {"blue": 0, "green": 100}

    result = stack.destroy()
    assert result.ok, result
    with pytest.raises(elb.exceptions.ListenerNotFoundException):
        elb.describe_listeners(ListenerArns=[outputs["listener"]])


def test_a_preview_of_a_switch_shows_two_weights_and_nothing_else(program):
    stack = program(SERVICE)
    stack.put()

    stack.configure("active", "green")
    result = stack.run("preview", "--json")

    steps = {step["urn"].split("::")[-1]: step for step in json.loads(result.stdout)["steps"]}
    production = steps["production"]
    assert production["op"] == "update"
    assert production["diffReasons"] == ["defaultActions"]
    changed = {"kind": "update", "inputDiff": False}
    assert production["detailedDiff"] == {
        f"defaultActions[0].forward.targetGroups[{index}].weight": changed for index in (0, 1)
    }
    assert {name for name, step in steps.items() if step["op"] != "same"} == {
        "production",
        "active-color",
    }
