"""Values keep their meaning on the way to AWS and back, and their secrets."""

import json

import pytest

ROLE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ec2.amazonaws.com"},
        }
    ],
}


def test_a_secret_stays_one_in_the_state(program, world):
    stack = program("""
        key = aws.ssm.Parameter("key", type="SecureString", value=config.require("key"))
        plain = aws.ssm.Parameter("plain", type="String", value=pulumi.Output.secret("swordfish"))
        pulumi.export("name", key.name)
    """)
    stack.configure("key", "correct horse")
    stack.put()

    result = stack.run("stack", "export")
    assert "correct horse" not in result.stdout
    assert "swordfish" not in result.stdout
    name = stack.outputs()["name"]
    found = world.client("ssm").get_parameter(Name=name, WithDecryption=True)
    assert found["Parameter"]["Value"] == "correct horse"
    assert stack.refresh().steps == ()
    assert stack.preview().planned == ()


def test_another_spelling_of_the_same_document_is_no_change(program):
    stack = program(f"""
        indent = config.get_int("indent")
        aws.iam.Role("web", assume_role_policy=json.dumps({ROLE!r}, indent=indent))
    """)
    stack.put()

    stack.configure("indent", 4)
    assert stack.preview().planned == ()
    assert stack.refresh().steps == ()
    assert stack.preview().planned == ()


def test_another_order_of_a_set_is_no_change(program):
    stack = program("""
        groups = {color: target_group(color) for color in ("blue", "green")}
        order = config.get_object("order") or ["blue", "green"]
        listener("production", forward([(groups[color], 50) for color in order]))
    """)
    stack.put()

    stack.configure("order", ["green", "blue"])

    assert stack.preview().planned == ()


def test_empty_tags_are_no_change(program):
    stack = program('target_group("blue", tags={})')
    stack.put()

    assert stack.refresh().steps == ()
    assert stack.preview().planned == ()


def test_a_map_keeps_the_names_of_its_keys(program, world):
    stack = program("""
        group = target_group("blue", tags={"bluegreen:color": "blue", "cost_center": "7"})
        pulumi.export("arn", group.arn)
    """)
    stack.put()

    arn = stack.outputs()["arn"]
    found = world.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {
        "bluegreen:color": "blue",
        "cost_center": "7",
    }


def test_default_tags_of_the_provider_are_put_on_everything(program, world):
    stack = program("""
        group = target_group("blue", tags={"color": "blue"})
        pulumi.export("arn", group.arn)
        pulumi.export("all", group.tags_all)
    """)
    stack.configure_in("aws", "defaultTags", {"tags": {"team": "shop"}})
    stack.put()

    assert stack.outputs()["all"] == {"color": "blue", "team": "shop"}
    assert stack.preview().planned == ()
    arn = stack.outputs()["arn"]
    found = world.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    assert {tag["Key"] for tag in found} == {"color", "team"}


def test_each_explicit_provider_has_its_own_region(program, world):
    stack = program("""
        europe = aws.Provider("europe", region="eu-west-1")
        opts = pulumi.ResourceOptions(provider=europe)
        there = aws.ssm.Parameter("there", type="String", value="blue", opts=opts)
        here = aws.ssm.Parameter("here", type="String", value="blue")
        pulumi.export("there", there.arn)
        pulumi.export("here", here.arn)
    """)
    stack.put()

    regions = {name: arn.split(":")[3] for name, arn in stack.outputs().items()}
    assert regions == {"there": "eu-west-1", "here": "us-east-1"}


@pytest.fixture
def asked(program, world):
    stack = program("""
        document = aws.iam.get_policy_document(statements=[{
            "actions": ["sts:AssumeRole"],
            "principals": [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}],
        }])
        pulumi.export("document", document.json)
        pulumi.export("region", aws.get_region().name)
        pulumi.export("account", aws.get_caller_identity().account_id)
        pulumi.export("zones", aws.get_availability_zones(state="available").names)
        image = aws.ec2.get_ami(
            most_recent=True,
            owners=["amazon"],
            filters=[{"name": "name", "values": ["amzn2-ami-hvm-*"]}],
        )
        pulumi.export("image", image.id)
        balancer = aws.lb.get_load_balancer(arn=load_balancer_arn)
        pulumi.export("balancer", balancer.name)
        pulumi.export("logged", balancer.access_logs.enabled)
        pulumi.export("network", aws.ec2.get_vpc(id=vpc_id).cidr_block)
        subnets = aws.ec2.get_subnets(filters=[{"name": "vpc-id", "values": [vpc_id]}])
        pulumi.export("subnets", subnets.ids)
    """)
    stack.put()
    return stack.outputs()


def test_a_program_is_told_what_it_asks(asked, world):
    image = asked.pop("image")
    document = json.loads(asked.pop("document"))
    asked["subnets"].sort()

    assert image.startswith("ami-")
    assert document["Statement"][0]["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert len(asked.pop("zones")) > 1
    assert asked == {
        "region": "us-east-1",
        "account": "123456789012",
        "balancer": "shared",
        "logged": False,
        "network": "10.0.0.0/16",
        "subnets": sorted(world.subnets),
    }


def test_a_question_without_an_answer_is_told_as_such(program):
    stack = program('aws.ec2.get_vpc(id="vpc-00000000")')

    result = stack.preview()

    assert not result.ok
    assert "invoking aws:ec2/getVpc:getVpc" in result.text
