"""The rules by which Terraform's names become Pulumi's, without the provider."""

import pytest

from tests.standins.aws.names import camel, plural, property_name, snake, terraform_type

KNOWN = {
    "aws_lb",
    "aws_lb_target_group",
    "aws_vpc",
    "aws_subnets",
    "aws_ami",
    "aws_autoscaling_group",
    "aws_cloudwatch_log_group",
    "aws_vpc_security_group_ingress_rule",
    "aws_availability_zones",
}


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("aws:lb/loadBalancer:LoadBalancer", "aws_lb"),
        ("aws:lb/targetGroup:TargetGroup", "aws_lb_target_group"),
        ("aws:ec2/vpc:Vpc", "aws_vpc"),
        ("aws:ec2/getSubnets:getSubnets", "aws_subnets"),
        ("aws:ec2/getAmi:getAmi", "aws_ami"),
        ("aws:autoscaling/group:Group", "aws_autoscaling_group"),
        ("aws:cloudwatch/logGroup:LogGroup", "aws_cloudwatch_log_group"),
        (
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            "aws_vpc_security_group_ingress_rule",
        ),
        ("aws:index/getAvailabilityZones:getAvailabilityZones", "aws_availability_zones"),
        ("aws:lb/balancer:Balancer", None),
    ],
)
def test_a_type_is_found_with_its_module_or_without(token, kind):
    assert terraform_type(token, KNOWN) == kind


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("targetGroup", "targetGroups"),
        ("policy", "policies"),
        ("gateway", "gateways"),
        ("address", "addresses"),
        ("status", "statuses"),
        ("match", "matches"),
        ("subnets", "subnets"),
        ("targetGroupArns", "targetGroupArns"),
    ],
)
def test_a_list_has_a_plural(one, many):
    assert plural(one) == many


def test_words_keep_their_borders():
    assert camel("vpc_zone_identifier") == "vpcZoneIdentifier"
    assert snake("TargetGroup") == snake("targetGroup") == "target_group"


def test_what_the_official_provider_renames_is_renamed_only_there():
    assert property_name("aws_security_group", "ingress", is_many=True) == "ingress"
    assert property_name("", "ingress", is_many=True) == "ingresses"
    assert property_name("aws_cloudwatch_metric_alarm", "alarm_name", is_many=False) == "name"
