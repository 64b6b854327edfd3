"""What is wrong is told at the right place, and what has happened nevertheless is kept in mind."""

import time

import pytest

TEMPLATE = """
    template = aws.ec2.LaunchTemplate("web", image_id="ami-12c6146b", instance_type="t3.micro")
"""


def test_what_the_provider_validates_is_told_with_the_property(program):
    stack = program('target_group("blue", health_check={"path": "/", "interval": 1000})')

    result = stack.preview()

    assert not result.ok
    assert "expected health_check.0.interval to be in the range (5 - 300), got 1000" in result.text
    assert "property healthCheck.interval value" in result.text


def test_a_property_that_there_is_not_is_refused(program):
    stack = program("""
        class Listener(pulumi.CustomResource):
            def __init__(self):
                given = {"loadBalancerArn": load_balancer_arn, "prot": 80, "defaultActions": []}
                super().__init__("aws:lb/listener:Listener", "production", given)

        Listener()
    """)

    result = stack.preview()

    assert not result.ok
    assert "there is no property prot" in result.text
    assert "property prot value" in result.text


def test_a_type_that_there_is_not_is_refused(program):
    stack = program('pulumi.CustomResource("aws:lb/balancer:Balancer", "web", {})')

    result = stack.preview()

    assert not result.ok
    assert "aws:lb/balancer:Balancer is nothing that the Terraform provider for AWS has" in (
        result.text
    )


def test_a_name_that_leaves_no_room_for_the_random_part_is_refused(program):
    long = "a-name-that-is-rather-long"
    stack = program(f'target_group("{long}")')

    result = stack.preview()

    assert not result.ok
    assert f"name '{long}-' plus 7 random chars is longer than maximum length 32" in result.text


def test_a_name_may_have_as_many_letters_as_aws_allows(program):
    stack = program(f'pulumi.export("name", target_group("{"a" * 24}").name)')
    stack.put()

    assert len(stack.outputs()["name"]) == 32


def test_what_aws_refuses_is_told_and_leaves_nothing_behind(program):
    stack = program("""
        blue = target_group("blue", name="blue")
        target_group("green", vpc_id="vpc-00000000", opts=pulumi.ResourceOptions(depends_on=[blue]))
    """)

    result = stack.up()

    assert not result.ok
    assert "The VPC ID 'vpc-00000000' is not found" in result.text
    assert stack.resource("blue") is not None
    assert stack.resource("green") is None


def test_a_group_that_was_made_and_is_not_complete_is_kept_in_mind(program, world):
    stack = program(f"""{TEMPLATE}
    group = aws.autoscaling.Group(
        "web",
        launch_template={{"id": template.id, "version": "$Latest"}},
        vpc_zone_identifiers=config.require_object("subnets"),
        min_size=0,
        max_size=4,
        desired_capacity=1,
        wait_for_capacity_timeout="2s",
        wait_for_elb_capacity=config.get_int("expected"),
        force_delete=True,
        opts=pulumi.ResourceOptions(depends_on=[template]),
    )
    """)
    stack.configure("subnets", world.subnets)
    stack.configure("expected", 3)

    result = stack.up()
    assert not result.ok
    assert "capacity" in result.text
    kept = next(each for each in stack.resources() if each["type"].endswith(":Group"))
    assert kept["initErrors"]
    groups = world.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[kept["id"]]
    )
    assert len(groups["AutoScalingGroups"]) == 1

    stack.configure("expected", None)
    result = stack.up()
    assert result.ok, result
    kept = next(each for each in stack.resources() if each["type"].endswith(":Group"))
    assert "initErrors" not in kept


def test_a_call_that_aws_cannot_answer_is_tried_a_few_times_only(program):
    # moto answers with 500 to what it does not know.
    stack = program("""
        aws.codedeploy.DeploymentConfig(
            "half",
            deployment_config_name="half",
            compute_platform="Server",
            minimum_healthy_hosts={"type": "FLEET_PERCENT", "value": 50},
        )
    """)
    started = time.monotonic()

    result = stack.run("up", "--yes", "--skip-preview")

    assert not result.ok
    assert "exceeded maximum number of attempts" in result.text
    # Left to itself, the provider tries for minutes.
    assert time.monotonic() - started < 30


def test_a_failed_update_is_made_again_by_the_next_one(program, world):
    stack = program("""
        group = target_group("blue")
        production = listener("production", forward([(group, 100)]))
        second = config.get_int("second") or 20
        for name, priority in {"first": 10, "second": second}.items():
            aws.lb.ListenerRule(
                name,
                listener_arn=production.arn,
                priority=priority,
                actions=[{"type": "forward", "target_group_arn": group.arn}],
                conditions=[{"path_pattern": {"values": [f"/{name}"]}}],
            )
    """)
    stack.put()

    stack.configure("second", 10)
    result = stack.up()
    assert not result.ok
    assert "PriorityInUse" in result.text

    stack.configure("second", 30)
    result = stack.up()
    assert [(step.name, step.op) for step in result.steps] == [("second", "update")], result
    rule = stack.resource("second")["id"]
    found = world.client("elbv2").describe_rules(RuleArns=[rule])["Rules"][0]
    assert found["Priority"] == "30"


def test_an_operation_takes_no_longer_than_the_program_says(program):
    stack = program("""
        group = target_group("blue")
        listener(
            "production",
            forward([(group, 100)]),
            protocol="HTTPS",
            certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/none",
            opts=pulumi.ResourceOptions(custom_timeouts={"create": "4s"}),
        )
    """)
    started = time.monotonic()

    result = stack.run("up", "--yes", "--skip-preview")

    assert not result.ok
    assert "CertificateNotFound" in result.text
    # Without a limit it is five minutes.
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("key", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_credentials_nothing_is_done(program, key):
    stack = program('target_group("blue")')
    for variable in (key, "PULUMI_DEBUG_PROVIDERS"):
        stack.environment.pop(variable, None)

    result = stack.preview()

    assert not result.ok
    assert "No valid credential sources found" in result.text or "credentials" in result.text


def test_another_region_than_the_providers_is_refused(program):
    stack = program("""
        class Parameter(pulumi.CustomResource):
            def __init__(self, region):
                given = {"type": "String", "value": "blue", "region": region}
                super().__init__("aws:ssm/parameter:Parameter", region, given)

        Parameter(config.require("region"))
    """)
    stack.configure("region", "eu-west-1")
    result = stack.preview()
    assert not result.ok
    assert "eu-west-1 is another region than the provider's, which is us-east-1" in result.text

    stack.configure("region", "us-east-1")
    result = stack.up()
    assert result.ok, result
    assert stack.resource("us-east-1")["outputs"]["region"] == "us-east-1"
