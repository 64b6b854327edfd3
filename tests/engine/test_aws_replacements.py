"""No edit of a config makes anew what traffic passes: each is refused in the preview, or harmless.

Every property that the real provider answers with a replacement is looked up in the table that it
was asked for, for every resource that a service has. Each is either reached by an edit of the
config, whose preview is looked at, or by none, and then it is said why.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.engine.aws_driver import AwsDriver, Region, aws_driver
from tests.engine.pulumi_stack import REPOSITORY
from tests.engine.test_aws_bad_input import said_by

TABLE = REPOSITORY / "tests" / "providers" / "aws" / "replacements.json"
GROUP = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
FLEET = "aws:autoscaling/group:Group"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
OPENING = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
FLAG = "aws:ssm/parameter:Parameter"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"

Place = tuple[str, str]

ROLE = "arn:aws:iam::123456789012:role/deployer"
RANGES = ["192.0.2.0/24", "2001:db8::/32"]

AUTONAMED = "the provider names it, with a random end; no setting does"
UNREACHABLE: dict[Place, str] = {
    (GROUP, "name"): AUTONAMED,
    (GROUP, "protocol"): "always HTTP",
    (GROUP, "targetType"): "always instance",
    (FLEET, "name"): AUTONAMED,
    (TEMPLATE, "name"): AUTONAMED,
    (SECURITY_GROUP, "name"): AUTONAMED,
    (SECURITY_GROUP, "description"): "says the service's name; another name is another service",
    (ALARM, "name"): AUTONAMED,
    (OPENING, "cidrIpv4"): "its range is in its name; another range is another opening",
    (LOG_GROUP, "name"): "has the service's name; with events_log_group there is none",
}


@dataclass(frozen=True)
class Edit:
    name: str
    config: Mapping[str, Any]
    reaches: tuple[Place, ...]
    """What it would replace."""

    says: str = ""
    """Part of the one line that refuses it; empty for an edit that is done."""


STACK = "from a stack of its own"
EDITS = [
    Edit(
        "another port of the members",
        {"service.aws.target_port": 9090},
        ((GROUP, "port"),),
        "its target_port would change from 8080 to 9090",
    ),
    Edit(
        "another network",
        {"service.aws.vpc_id": "<vpc>"},
        ((GROUP, "vpcId"), (SECURITY_GROUP, "vpcId")),
        "its vpc would change from",
    ),
    Edit(
        "another load balancer",
        {
            "service.aws.load_balancer_arn": "<balancer>",
            "service.aws.rule.listener_arn": "<its_listener>",
        },
        ((LISTENER, "loadBalancerArn"),),
        "its load_balancer would change from",
    ),
    Edit(
        "another listener of the rule",
        {"service.aws.rule.listener_arn": "<listener>"},
        ((RULE, "listenerArn"),),
        "its router would change from rule of",
    ),
    Edit(
        "another group of the load balancer",
        {"service.aws.load_balancer_security_group_id": "<group>"},
        ((OPENING, "securityGroupId"),),
    ),
    Edit("another name of the flag", {"service.aws.flag_name": "/shop/active"}, ((FLAG, "name"),)),
]

# What the table does not know, because it would be another resource.
OTHER_RESOURCES = [
    Edit(
        "a listener instead of the rule",
        {"service.aws.rule": None},
        (),
        "its router would change from rule of",
    ),
]
OF_A_LISTENER = [
    Edit(
        "another port of production",
        {"service.port": 8000},
        (),
        "its router would change from listener on port 81 to listener on port 8000",
    ),
    Edit(
        "a rule instead of the listener",
        {
            "service.aws.rule": {
                "listener_arn": "<listener>",
                "priority": 30,
                "hosts": ["shop.example"],
            }
        },
        (),
        "its router would change from listener on port 81 to rule of",
    ),
]

# The provider answers these with updates, and AWS by replacing members.
NEW_MEMBERS = {
    "image": {"blue.image": "<image>"},
    "type": {"service.aws.instance_type": "t3.large"},
    "script": {"service.aws.user_data": "exec /opt/other\n"},
    "variables": {"blue.env": {"LOG": "debug"}},
    "addresses": {"service.aws.public_addresses": True},
    "groups": {"service.aws.instance_security_group_ids": ["<group>"]},
}


class Estate:
    """A service that works, whose router is a rule, with all that a service can have."""

    def __init__(self, driver: AwsDriver, others: Mapping[str, str]) -> None:
        self.driver = driver
        self.others = others
        self._config = driver.stack.config_file.read_text()

    def write(self, config: Mapping[str, Any]) -> None:
        self.driver.stack.config_file.write_text(self._config)
        for key, value in config.items():
            self.driver.configure(key, self._filled(value))

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        for name, found in self.others.items():
            if value == f"<{name}>":
                return found
        return value


@pytest.fixture(scope="module")
def estate(region: Region) -> Iterator[Estate]:
    with aws_driver(region) as driver:
        others = _others(driver)
        rule = {"listener_arn": others["shared"], "priority": 10, "hosts": ["127.0.0.1"]}
        # By the way: in the role that the provider takes on.
        driver.stack.configure_in("aws", "assumeRole", {"roleArn": ROLE, "sessionName": "tests"})
        deploy(driver, rule=rule, production_url=None, alarms={}, test_allowed_cidrs=RANGES)
        yield Estate(driver, others)


@pytest.fixture(scope="module")
def listener_estate(estate: Estate, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """A second one, whose router is a listener."""
    driver = AwsDriver(
        tmp_path_factory.mktemp("listener"), Region(estate.driver.cloud, estate.driver.bridge)
    )
    for key, value in {"name": "cart", "port": 81}.items():
        driver.configure(f"service.{key}", value)
    test_url = f"http://127.0.0.1:{driver.cloud.port_for(8444)}"
    deploy(driver, test_port=8444, production_url=None, test_url=test_url)
    return Estate(driver, estate.others)


def deploy(driver: AwsDriver, **settings: Any) -> None:
    driver.configure("active_color", "blue")
    driver.configure("blue", {"release": "1.0", "replicas": 1})
    driver.configure("green", {"release": "1.1", "replicas": 1})
    for key, value in settings.items():
        driver.configure(f"service.aws.{key}", value)
    result = driver.up()
    assert result.ok, result


def _others(driver: AwsDriver) -> dict[str, str]:
    """What an edit could name instead."""
    ec2, elb = driver.cloud.client("ec2"), driver.elb
    group = ec2.create_security_group(
        GroupName="front", Description="of the load balancer, too", VpcId=driver.cloud.vpc()
    )["GroupId"]
    elb.set_security_groups(
        LoadBalancerArn=driver.balancer, SecurityGroups=[driver.cloud.security_group(), group]
    )
    second = elb.create_load_balancer(Name="second", Subnets=driver.cloud.subnets())
    balancer = second["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = [
        elb.create_listener(
            LoadBalancerArn=each,
            Protocol="HTTP",
            Port=port,
            DefaultActions=[
                {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
            ],
        )["Listeners"][0]["ListenerArn"]
        for each, port in ((driver.balancer, 9000), (driver.balancer, 9001), (balancer, 9002))
    ]
    images = ec2.describe_images(Owners=["amazon"])["Images"]
    return {
        "vpc": ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"],
        "group": group,
        "balancer": balancer,
        "shared": listeners[0],
        "listener": listeners[1],
        "its_listener": listeners[2],
        "image": images[1]["ImageId"],
    }


def replacing_properties(resources: list[Mapping[str, Any]]) -> set[Place]:
    """Those of all resources that the table has as replacing, by type."""
    table = json.loads(TABLE.read_text())
    return {
        (each["type"], path)
        for each in resources
        if each["type"] in table
        for path in _paths(each["inputs"])
        if table[each["type"]].get(path) == "replace"
    }


def _paths(value: Any, place: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _paths(each, place)
    elif isinstance(value, dict):
        for key, each in value.items():
            if not key.startswith("__"):
                yield from _paths(each, f"{place}.{key}" if place else key)
    if place:
        yield place


def aws_resources(estate: Estate) -> list[Mapping[str, Any]]:
    found = estate.driver.stack.resources()
    return [each for each in found if each["type"].startswith("aws:")]


def test_every_replacing_property_is_reached_by_an_edit_below_or_by_none(estate: Estate):
    resources = aws_resources(estate)

    reached = {place for edit in EDITS for place in edit.reaches}
    assert reached.isdisjoint(UNREACHABLE)
    assert replacing_properties(resources) == reached | set(UNREACHABLE)
    # A resource of another type would have to be looked up first.
    assert {each["type"] for each in resources} == set(json.loads(TABLE.read_text()))


def test_the_gates_ask_in_the_role_of_the_provider(estate: Estate):
    assumed = [each for each in estate.driver.cloud.calls if each.action == "AssumeRole"]

    # The provider once, and the gates once in the preview and once in the update.
    assert len(assumed) >= 3


def test_who_may_use_the_test_endpoint_may_have_ipv6(estate: Estate):
    cloud = estate.driver.cloud
    found = cloud.client("ec2").describe_security_groups(GroupIds=[cloud.security_group()])
    opened = {
        each.get("CidrIp") or each["CidrIpv6"]
        for permission in found["SecurityGroups"][0]["IpPermissions"]
        if permission["FromPort"] == 8443
        for each in (*permission["IpRanges"], *permission["Ipv6Ranges"])
    }

    assert opened == set(RANGES)


def assert_needs_a_stack_of_its_own(estate: Estate, edit: Edit) -> None:
    driver = estate.driver
    estate.write(edit.config)
    calls = len(driver.cloud.calls)

    result = driver.preview()

    lines = said_by(result)
    assert len(lines) == 1, result
    assert edit.says in lines[0]
    assert "nothing was changed" in lines[0]
    assert lines[0].endswith(STACK)
    assert not result.ok
    assert [each for each in driver.cloud.calls[calls:] if not each.is_read] == []


@pytest.mark.parametrize(
    "edit",
    [each for each in (*EDITS, *OTHER_RESOURCES) if each.says],
    ids=lambda edit: edit.name.replace(" ", "-"),
)
def test_what_would_be_made_anew_while_it_is_used_is_refused(estate: Estate, edit: Edit):
    assert_needs_a_stack_of_its_own(estate, edit)


@pytest.mark.soak
@pytest.mark.parametrize("edit", OF_A_LISTENER, ids=lambda edit: edit.name.replace(" ", "-"))
def test_so_is_another_kind_of_router_and_another_port(listener_estate: Estate, edit: Edit):
    assert_needs_a_stack_of_its_own(listener_estate, edit)


@pytest.mark.parametrize(
    "edit", [each for each in EDITS if not each.says], ids=lambda edit: edit.name.replace(" ", "-")
)
def test_what_may_be_made_anew_is_no_part_of_the_way_of_traffic(estate: Estate, edit: Edit):
    stack = estate.driver.stack
    estate.write(edit.config)

    result = stack.preview()

    assert result.ok, result
    replaced = {step.name for step in result.planned if "replace" in step.op}
    types = {each["urn"].split("::")[-1]: each["type"] for each in stack.resources()}
    assert {types[name] for name in replaced} == {token for token, _ in edit.reaches}
    # The new one is there before the old one goes.
    for name in replaced:
        steps = [step.op for step in result.planned if step.name == name]
        assert steps.index("create-replacement") < steps.index("delete-replaced")


@pytest.mark.soak
def test_a_renamed_service_is_another_service(estate: Estate):
    estate.write({"service.name": "till"})

    result = estate.driver.stack.preview()

    assert not result.ok
    # All of it would be made beside the old one, which would go after that.
    first, *_ = said_by(result)
    assert "of the service shop of the stack shop/test has p" in first


@pytest.mark.parametrize(
    "what", [*(pytest.param(each, marks=pytest.mark.soak) for each in [*NEW_MEMBERS][1:]), "image"]
)
def test_other_members_are_built_on_the_idle_color(estate: Estate, what: str):
    estate.write(NEW_MEMBERS[what])

    result = estate.driver.preview()

    assert not result.ok
    line = next(each for each in said_by(result) if "blue has 100 %" in each)
    assert "nothing was changed; deploy to green and switch, or allow it once" in line
