"""Which edits replace a resource, as the provider says and as we have written down.

What is written down serves where the provider is missing. BLUEGREEN_REGENERATE=1 writes it anew.
"""

import json
import os
from pathlib import Path

import pytest

from tests.providers.aws.replacement_table import answers

TABLE = Path(__file__).with_name("replacements.json")
REGENERATE = "BLUEGREEN_REGENERATE"

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


@pytest.fixture(scope="module")
def inputs(world):
    """Of one valid resource of each type."""
    elb, ec2 = world.client("elbv2"), world.client("ec2")
    made = elb.create_target_group(Name="table", Port=80, Protocol="HTTP", VpcId=world.vpc)
    group = made["TargetGroups"][0]["TargetGroupArn"]
    actions = [{"type": "forward", "targetGroupArn": group}]
    listener = elb.create_listener(
        LoadBalancerArn=world.load_balancer,
        Protocol="HTTP",
        Port=world.port(),
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    template = ec2.create_launch_template(
        LaunchTemplateName="table", LaunchTemplateData={"ImageId": "ami-12c6146b"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    return {
        GROUP: {"name": "edited", "port": 8080, "protocol": "HTTP", "vpcId": world.vpc},
        LISTENER: {
            "loadBalancerArn": world.load_balancer,
            "port": world.port(),
            "protocol": "HTTP",
            "defaultActions": actions,
        },
        RULE: {
            "listenerArn": listener,
            "priority": 7,
            "actions": actions,
            "conditions": [{"pathPattern": {"values": ["/"]}}],
        },
        FLEET: {
            "name": "edited",
            "minSize": 0,
            "maxSize": 4,
            "launchTemplate": {"id": template, "version": "1"},
            "vpcZoneIdentifiers": world.subnets,
            "waitForCapacityTimeout": "0",
        },
        TEMPLATE: {"name": "edited", "imageId": "ami-12c6146b", "instanceType": "t3.micro"},
        SECURITY_GROUP: {"name": "edited", "description": "of the table", "vpcId": world.vpc},
        OPENING: {
            "securityGroupId": ec2.create_security_group(
                GroupName="table", Description="of the table", VpcId=world.vpc
            )["GroupId"],
            "ipProtocol": "tcp",
            "fromPort": 80,
            "toPort": 80,
            "cidrIpv4": "192.0.2.0/24",
        },
        FLAG: {"name": "/edited", "type": "String", "insecureValue": "blue"},
        LOG_GROUP: {"name": "/edited", "retentionInDays": 7},
        ALARM: {
            "name": "edited",
            "namespace": "AWS/ApplicationELB",
            "metricName": "RequestCount",
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 1,
            "period": 60,
            "statistic": "Sum",
            "threshold": 1,
        },
    }


TOKENS = [
    *(GROUP, LISTENER, RULE, FLEET, TEMPLATE),
    *(SECURITY_GROUP, OPENING, FLAG, LOG_GROUP, ALARM),
]


@pytest.mark.parametrize("token", TOKENS)
def test_the_provider_replaces_what_is_written_down(token, aws, inputs):
    found = answers(aws, token, inputs[token])

    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    if os.environ.get(REGENERATE):
        TABLE.write_text(json.dumps({**table, token: found}, indent=2, sort_keys=True) + "\n")
    else:
        assert found == table[token]


def test_nothing_that_a_switch_or_a_release_edits_replaces_anything():
    table = json.loads(TABLE.read_text())
    edited = {
        LISTENER: ["defaultActions.forward.targetGroups.weight"],
        RULE: ["actions.forward.targetGroups.weight", "actions.targetGroupArn"],
        FLEET: ["minSize", "maxSize", "launchTemplate.version"],
        TEMPLATE: ["imageId", "userData"],
    }

    assert {table[token][path] for token, paths in edited.items() for path in paths} == {"update"}
    assert table[GROUP]["port"] == table[GROUP]["vpcId"] == "replace"
