"""What becomes of one resource: made, changed, replaced, found, lost."""

import re

import pytest

GROUP = """
    group = target_group(
        "blue",
        port=config.get_int("target_port") or 8080,
        name=config.get("name"),
        health_check={"path": config.get("path") or "/healthz", "interval": 10},
        tags={"color": "blue"},
    )
    pulumi.export("arn", group.arn)
    pulumi.export("name", group.name)
"""
USED_GROUP = f"""{GROUP}
    production = listener("production", forward([(group, 100)]))
    pulumi.export("listener", production.arn)
"""


@pytest.fixture
def elb(world):
    return world.client("elbv2")


def group_of(elb, arn):
    return elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]


def forwards_to(elb, listener):
    found = elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]
    return found["DefaultActions"][0]["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"]


def test_a_group_without_a_name_is_given_one_that_stays(program, elb):
    stack = program(GROUP)
    stack.put()
    before = stack.outputs()
    assert re.fullmatch(r"blue-[0-9a-f]{7}", before["name"])

    stack.configure("path", "/ready")
    result = stack.up()

    assert [(step.name, step.op) for step in result.steps] == [("blue", "update")], result
    assert stack.outputs() == before
    assert group_of(elb, before["arn"])["HealthCheckPath"] == "/ready"


def test_a_group_without_a_name_is_replaced_before_the_old_one_goes(program, elb):
    stack = program(USED_GROUP)
    stack.put()
    before = stack.outputs()

    stack.configure("target_port", 9090)
    result = stack.up()

    assert result.ok, result
    after = stack.outputs()
    assert after["name"] != before["name"]
    assert after["listener"] == before["listener"]
    assert forwards_to(elb, after["listener"]) == after["arn"]
    ops = [(step.name, step.op) for step in result.steps]
    assert ops == [
        ("blue", "create-replacement"),
        ("blue", "replace"),
        ("production", "update"),
        ("blue", "delete-replaced"),
    ]
    with pytest.raises(elb.exceptions.TargetGroupNotFoundException):
        group_of(elb, before["arn"])


def test_a_group_with_a_fixed_name_is_to_be_deleted_first(program):
    stack = program(GROUP)
    stack.configure("name", "alone")
    stack.put()

    stack.configure("target_port", 9090)
    ops = [step.op for step in stack.preview().planned]

    assert ops.index("delete-replaced") < ops.index("create-replacement")


# The provider tries for two minutes, which nothing configures.
@pytest.mark.soak
def test_a_group_with_a_fixed_name_is_deleted_first_which_its_listener_prevents(program, elb):
    stack = program(USED_GROUP)
    stack.configure("name", "fixed")
    stack.put()

    stack.configure("target_port", 9090)
    assert stack.preview().ok
    result = stack.up()

    assert not result.ok
    assert "ResourceInUse" in result.text
    assert group_of(elb, stack.outputs()["arn"])["Port"] == 8080


def test_a_preview_knows_what_is_replaced_and_why(program):
    stack = program(GROUP)
    stack.put()

    stack.configure("target_port", 9090)
    result = stack.run("preview", "--diff")

    assert re.search(r"~ port\s*: 8080 => 9090", result.text)
    assert "aws:lb/targetGroup:TargetGroup: (replace)" in result.text


def test_a_refresh_finds_what_was_changed_by_hand_and_an_update_puts_it_back(program, elb):
    stack = program(GROUP)
    stack.put()
    arn = stack.outputs()["arn"]
    elb.modify_target_group(TargetGroupArn=arn, HealthCheckPath="/elsewhere")
    assert stack.up().steps == ()

    assert stack.refresh().ok
    found = stack.resource("blue")
    assert found["outputs"]["healthCheck"]["path"] == "/elsewhere"
    assert found["inputs"]["healthCheck"]["path"] == "/elsewhere"
    assert found["inputs"]["healthCheck"]["interval"] == 10
    result = stack.up()

    assert [(step.name, step.op) for step in result.steps] == [("blue", "update")], result
    assert group_of(elb, arn)["HealthCheckPath"] == "/healthz"


def test_a_refresh_of_what_is_as_it_was_changes_nothing(program):
    stack = program(USED_GROUP)
    stack.put()

    result = stack.refresh()

    assert result.ok, result
    assert result.steps == ()
    assert stack.preview().planned == ()


def test_a_refresh_forgets_what_is_gone_and_an_update_makes_it_again(program, elb):
    stack = program(GROUP)
    stack.put()
    arn = stack.outputs()["arn"]
    elb.delete_target_group(TargetGroupArn=arn)

    assert stack.refresh().ok
    assert stack.resource("blue") is None
    result = stack.up()

    assert [(step.name, step.op) for step in result.steps] == [("blue", "create")], result
    assert group_of(elb, stack.outputs()["arn"])["Port"] == 8080


def test_what_somebody_else_made_is_imported_as_it_is(program, elb, world):
    made = elb.create_target_group(
        Name="by-hand",
        Port=8080,
        Protocol="HTTP",
        VpcId=world.vpc,
        HealthCheckPath="/healthz",
        HealthyThresholdCount=3,
        UnhealthyThresholdCount=3,
    )
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    stack = program(f"""
        group = target_group(
            "blue",
            name="by-hand",
            health_check={{"path": "/healthz"}},
            opts=pulumi.ResourceOptions(import_="{arn}"),
        )
        pulumi.export("arn", group.arn)
    """)

    result = stack.up()

    assert [(step.name, step.op) for step in result.steps] == [("blue", "import")], result
    assert stack.outputs()["arn"] == arn
    assert stack.up().steps == ()


def test_what_somebody_else_owns_is_read_and_never_deleted(program, elb, world):
    stack = program("""
        balancer = aws.lb.LoadBalancer.get("shared", load_balancer_arn)
        pulumi.export("dns_name", balancer.dns_name)
        pulumi.export("subnets", balancer.subnets)
    """)
    stack.put()

    live = elb.describe_load_balancers(LoadBalancerArns=[world.load_balancer])["LoadBalancers"][0]
    assert stack.outputs() == {"dns_name": live["DNSName"], "subnets": sorted(world.subnets)}
    assert stack.destroy().ok
    assert elb.describe_load_balancers(LoadBalancerArns=[world.load_balancer])["LoadBalancers"]


def test_a_preview_of_what_is_not_known_yet_passes_and_makes_nothing(program, elb):
    stack = program(USED_GROUP)
    before = elb.describe_target_groups()["TargetGroups"]

    result = stack.preview()

    assert result.ok, result
    assert result.plan == ["blue", "production"]
    assert elb.describe_target_groups()["TargetGroups"] == before
