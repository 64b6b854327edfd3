"""What moto says that AWS does not: each is asked in the same way of moto and of the cloud."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from tests.aws_cloud.shop import Shop, wait

Question = Callable[[Shop], Any]
NO_IMAGE = "ami-0123456789abcdef0"


def refusal(call: Callable[..., Any], **arguments: Any) -> str | None:
    """The code of the error, None if it is done."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def unreadable(call: Callable[..., Any], **arguments: Any) -> str | None:
    """The same, for what moto answers with a page that boto3 cannot read."""
    try:
        return refusal(call, **arguments)
    except ResponseParserError:
        return "a page"


def a_group_that_no_listener_uses(shop: Shop) -> Any:
    shop.groups["spare"] = shop.add_target_group("spare", TargetType="ip")
    register(shop, "spare", "127.0.0.1")
    return shop.health("spare")


def a_target_where_nobody_listens(shop: Shop) -> Any:
    shop.groups["blue"] = shop.add_target_group("at-addresses", TargetType="ip")
    shop.switch("blue")
    register(shop, "blue", "127.0.0.1")
    wait(lambda: shop.states("blue") != ["initial"])
    return shop.health("blue")


def a_target_that_was_just_deregistered(shop: Shop) -> Any:
    shop.groups["blue"] = shop.add_target_group("at-addresses", TargetType="ip")
    shop.switch("blue")
    register(shop, "blue", "127.0.0.1")
    wait(lambda: shop.states("blue") != ["initial"])
    targets = [{"Id": "127.0.0.1"}]
    shop.elb.deregister_targets(TargetGroupArn=shop.groups["blue"], Targets=targets)
    return shop.health("blue")


def a_switch_to_a_group_that_is_not_there(shop: Shop) -> Any:
    before = actions_of(shop)
    gone = shop.groups["green"].replace("green", "gone")
    shop.groups["green"] = gone
    code = refusal(
        shop.elb.modify_listener, ListenerArn=shop.listener, DefaultActions=shop.active("green")
    )
    return code, actions_of(shop) == before


def a_weight_of_1000(shop: Shop) -> Any:
    return refused_actions(shop, shop.forward(blue=1000))


def six_groups_in_one_action(shop: Shop) -> Any:
    (action,) = shop.active("blue")
    more = [shop.add_target_group(f"more-{number}") for number in range(4)]
    action["ForwardConfig"]["TargetGroups"] += [{"TargetGroupArn": each} for each in more]
    return refused_actions(shop, [action])


def clients_that_stay_for_a_month(shop: Shop) -> Any:
    return refused_actions(shop, shop.forward(blue=1, sticky_seconds=2_600_000))


def a_group_of_another_load_balancer(shop: Shop) -> Any:
    made = shop.elb.create_load_balancer(Name="other", Subnets=shop.cloud.subnets())
    return refusal(
        shop.elb.create_listener,
        LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"],
        Port=80,
        Protocol="HTTP",
        DefaultActions=shop.active("blue"),
    )


def the_port_after_a_change_that_was_refused(shop: Shop) -> Any:
    code = refusal(shop.elb.modify_listener, ListenerArn=shop.listener, Port=444, Protocol="TLS")
    return code, described(shop)["Port"]


def a_second_listener_on_a_port(shop: Shop) -> Any:
    return refused_listener(shop, 443, "HTTP")


def https_without_a_certificate(shop: Shop) -> Any:
    return refused_listener(shop, 8443, "HTTPS")


def a_policy_of_tls_that_is_not_there(shop: Shop) -> Any:
    certificates = [{"CertificateArn": shop.cloud.certificate()}]
    return refused_listener(
        shop, 8443, "HTTPS", Certificates=certificates, SslPolicy="ELBSecurityPolicy-None"
    )


def what_is_told_of_a_plain_forward(shop: Shop) -> Any:
    action = {"Type": "forward", "TargetGroupArn": shop.groups["blue"]}
    shop.elb.modify_listener(ListenerArn=shop.listener, DefaultActions=[action])
    (told,) = actions_of(shop)
    weights = [each["Weight"] for each in told.get("ForwardConfig", {}).get("TargetGroups", [])]
    return "TargetGroupArn" in told, weights


def what_is_told_of_a_forward_to_one_group(shop: Shop) -> Any:
    config = {"TargetGroups": [{"TargetGroupArn": shop.groups["blue"]}]}
    action = {"Type": "forward", "ForwardConfig": config}
    shop.elb.modify_listener(ListenerArn=shop.listener, DefaultActions=[action])
    (told,) = actions_of(shop)
    return told.get("TargetGroupArn") == shop.groups["blue"]


def what_is_told_of_a_forward_to_two_groups(shop: Shop) -> Any:
    (told,) = actions_of(shop)
    return "TargetGroupArn" in told, told["ForwardConfig"]["TargetGroupStickinessConfig"]


def the_order_of_rules(shop: Shop) -> Any:
    for priority in (30, 4, 200):
        add_rule(shop, priority)
    found = shop.elb.describe_rules(ListenerArn=shop.listener)["Rules"]
    return [rule["Priority"] for rule in found]


def a_priority_of_50001(shop: Shop) -> Any:
    return refusal(add_rule, shop=shop, priority=50_001)


def a_priority_that_another_rule_has(shop: Shop) -> Any:
    add_rule(shop, 7)
    return refusal(add_rule, shop=shop, priority=7)


def a_change_of_the_default_rule(shop: Shop) -> Any:
    (rule,) = shop.elb.describe_rules(ListenerArn=shop.listener)["Rules"]
    arn = rule["RuleArn"]
    return refusal(shop.elb.modify_rule, RuleArn=arn, Actions=shop.active("green"))


def the_deletion_of_a_rule_that_is_not_there(shop: Shop) -> Any:
    arn = shop.listener.replace(":listener/", ":listener-rule/") + "/0000000000000000"
    return refusal(shop.elb.delete_rule, RuleArn=arn)


def the_deletion_of_a_group_in_use(shop: Shop) -> Any:
    return refusal(shop.elb.delete_target_group, TargetGroupArn=shop.groups["green"])


def who_uses_the_groups_after_a_plain_switch(shop: Shop) -> Any:
    action = {"Type": "forward", "TargetGroupArn": shop.groups["green"]}
    shop.elb.modify_listener(ListenerArn=shop.listener, DefaultActions=[action])
    found = shop.elb.describe_target_groups(TargetGroupArns=list(shop.groups.values()))
    return {
        each["TargetGroupName"]: len(each["LoadBalancerArns"]) for each in found["TargetGroups"]
    }


def an_instance_that_was_just_started(shop: Shop) -> Any:
    shop.run_alone("trap '' TERM; while :; do sleep 0.1; done")
    name = shop.alone
    first = state_of(shop, name)
    wait(lambda: state_of(shop, name) == "running")
    shop.ec2.terminate_instances(InstanceIds=[name])
    return first, state_of(shop, name)


def targets_after_a_scale_in(shop: Shop) -> Any:
    shop.add_fleet("blue", 3)
    wait(lambda: len(shop.states("blue")) == 3)
    wait(lambda: set(shop.states("blue")) == {"healthy"})
    shop.scaling.set_desired_capacity(AutoScalingGroupName="blue", DesiredCapacity=1)
    return sorted(shop.states("blue")), running(shop)


def where_the_instances_of_a_group_are(shop: Shop) -> Any:
    shop.add_fleet("blue", 4)
    found = shop.ec2.describe_instances()["Reservations"]
    return len({each["SubnetId"] for one in found for each in one["Instances"]})


def what_an_instance_was_launched_from(shop: Shop) -> Any:
    shop.add_template("blue")
    data = {"ImageId": shop.cloud.image(), "InstanceType": "t3.small"}
    shop.ec2.create_launch_template_version(LaunchTemplateName="blue", LaunchTemplateData=data)
    make_group(shop, "blue", DesiredCapacity=1)
    found = shop.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    return found[0]["Instances"][0]["LaunchTemplate"]["Version"]


def a_group_of_a_second_version_with_user_data(shop: Shop) -> Any:
    shop.add_template("blue")
    data = shop.template_data("blue", release="2")
    shop.ec2.create_launch_template_version(LaunchTemplateName="blue", LaunchTemplateData=data)
    return unreadable(make_group, shop=shop, name="blue", DesiredCapacity=1)


def what_a_template_with_tags_makes_instances_from(shop: Shop) -> Any:
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "team", "Value": "shop"}]}]
    data = shop.template_data("blue")
    made = shop.ec2.create_launch_template(
        LaunchTemplateName="blue", LaunchTemplateData=data, TagSpecifications=tags
    )["LaunchTemplate"]
    (version,) = shop.ec2.describe_launch_template_versions(
        LaunchTemplateId=made["LaunchTemplateId"]
    )["LaunchTemplateVersions"]
    return version["LaunchTemplateData"].get("TagSpecifications") or []


def the_tags_of_a_template_after_a_change(shop: Shop) -> Any:
    shop.add_template("blue")
    (made,) = shop.ec2.describe_launch_templates(LaunchTemplateNames=["blue"])["LaunchTemplates"]
    tags = [{"Key": "team", "Value": "shop"}]
    shop.ec2.create_tags(Resources=[made["LaunchTemplateId"]], Tags=tags)
    (found,) = shop.ec2.describe_launch_templates(LaunchTemplateNames=["blue"])["LaunchTemplates"]
    return found.get("Tags") or []


def more_instances_than_the_maximum(shop: Shop) -> Any:
    shop.add_fleet("blue", 0, most=2)
    set_desired = shop.scaling.set_desired_capacity
    return refusal(set_desired, AutoScalingGroupName="blue", DesiredCapacity=3)


def a_maximum_below_the_minimum(shop: Shop) -> Any:
    shop.add_template("blue")
    return refusal(make_group, shop=shop, name="blue", MinSize=5)


def the_capacity_when_its_bounds_move(shop: Shop) -> Any:
    shop.add_fleet("blue", 1)
    shop.scaling.update_auto_scaling_group(AutoScalingGroupName="blue", MinSize=2)
    raised = desired(shop)
    shop.scaling.update_auto_scaling_group(AutoScalingGroupName="blue", MinSize=0, MaxSize=1)
    return raised, desired(shop)


def a_second_group_of_the_same_name(shop: Shop) -> Any:
    shop.add_template("blue")
    make_group(shop, "blue")
    return refusal(make_group, shop=shop, name="blue")


def what_is_left_of_a_group_that_was_refused(shop: Shop) -> Any:
    shop.add_template("blue")
    arn = shop.groups["blue"].replace("blue", "gone")
    code = refusal(make_group, shop=shop, name="blue", TargetGroupARNs=[arn])
    return code, len(shop.scaling.describe_auto_scaling_groups()["AutoScalingGroups"])


def the_capacity_of_a_group_that_is_not_there(shop: Shop) -> Any:
    set_desired = shop.scaling.set_desired_capacity
    return unreadable(set_desired, AutoScalingGroupName="gone", DesiredCapacity=1)


def the_deletion_of_a_group_with_instances(shop: Shop) -> Any:
    shop.add_fleet("blue", 1)
    return refusal(shop.scaling.delete_auto_scaling_group, AutoScalingGroupName="blue")


def an_instance_refresh(shop: Shop) -> Any:
    shop.add_fleet("blue", 0)
    return unreadable(shop.scaling.start_instance_refresh, AutoScalingGroupName="blue")


def a_refresh_that_ends_more_than_it_may(shop: Shop) -> Any:
    shop.add_fleet("blue", 0)
    return unreadable(
        shop.scaling.start_instance_refresh,
        AutoScalingGroupName="blue",
        Preferences={"MinHealthyPercentage": 50, "MaxHealthyPercentage": 200},
    )


def an_instance_of_an_image_that_is_not_there(shop: Shop) -> Any:
    return refusal(shop.ec2.run_instances, ImageId=NO_IMAGE, MinCount=1, MaxCount=1)


def a_group_of_an_image_that_is_not_there(shop: Shop) -> Any:
    data = shop.template_data("blue") | {"ImageId": NO_IMAGE}
    shop.ec2.create_launch_template(LaunchTemplateName="blue", LaunchTemplateData=data)
    return refusal(make_group, shop=shop, name="blue")


def what_a_group_has_done(shop: Shop) -> Any:
    shop.add_fleet("blue", 1)
    wait(lambda: "InService" in shop.instances("blue").values())
    found = shop.scaling.describe_scaling_activities(AutoScalingGroupName="blue")["Activities"]
    return [(each["StatusCode"], each["Description"].split(":")[0]) for each in found]


def register(shop: Shop, name: str, *targets: str) -> None:
    shop.elb.register_targets(
        TargetGroupArn=shop.groups[name], Targets=[{"Id": each, "Port": 1} for each in targets]
    )


def add_rule(shop: Shop, priority: int) -> None:
    shop.elb.create_rule(
        ListenerArn=shop.listener,
        Priority=priority,
        Conditions=[{"Field": "path-pattern", "Values": ["/green"]}],
        Actions=shop.active("green"),
    )


def make_group(shop: Shop, name: str, **settings: Any) -> None:
    shop.scaling.create_auto_scaling_group(
        **{
            "AutoScalingGroupName": name,
            "MinSize": 0,
            "MaxSize": 1,
            "LaunchTemplate": {"LaunchTemplateName": name, "Version": "$Latest"},
            "VPCZoneIdentifier": ",".join(shop.cloud.subnets()),
        }
        | settings
    )


def described(shop: Shop) -> Any:
    return shop.elb.describe_listeners(ListenerArns=[shop.listener])["Listeners"][0]


def actions_of(shop: Shop) -> Any:
    return described(shop)["DefaultActions"]


def refused_actions(shop: Shop, actions: list[Any]) -> str | None:
    """By all four calls that take actions; they must agree."""
    add_rule(shop, 9)
    rule = shop.elb.describe_rules(ListenerArn=shop.listener)["Rules"][0]["RuleArn"]
    conditions = [{"Field": "path-pattern", "Values": ["/"]}]
    found = {
        refusal(shop.elb.modify_listener, ListenerArn=shop.listener, DefaultActions=actions),
        refusal(shop.elb.modify_rule, RuleArn=rule, Actions=actions),
        refusal(
            shop.elb.create_rule,
            ListenerArn=shop.listener,
            Priority=10,
            Conditions=conditions,
            Actions=actions,
        ),
        refusal(shop.add_listener, port=80, protocol="HTTP", actions=actions),
    }
    (only,) = found
    return only


def refused_listener(shop: Shop, port: int, protocol: str, **settings: Any) -> str | None:
    return refusal(
        shop.elb.create_listener,
        LoadBalancerArn=shop.cloud.load_balancer(),
        Port=port,
        Protocol=protocol,
        DefaultActions=shop.active("blue"),
        **settings,
    )


def state_of(shop: Shop, name: str) -> str:
    found = shop.ec2.describe_instances(InstanceIds=[name])["Reservations"]
    return str(found[0]["Instances"][0]["State"]["Name"])


def running(shop: Shop) -> int:
    wanted = [{"Name": "instance-state-name", "Values": ["running"]}]
    found = shop.ec2.describe_instances(Filters=wanted)["Reservations"]
    return sum(len(each["Instances"]) for each in found)


def desired(shop: Shop) -> int:
    found = shop.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["blue"])
    return int(found["AutoScalingGroups"][0]["DesiredCapacity"])
