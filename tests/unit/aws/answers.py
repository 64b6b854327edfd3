"""AWS as a test says it is: answers by operation, and what was asked."""

from datetime import UTC, datetime

from bluegreen.aws.anchors import Anchors
from bluegreen.aws.groups import Groups
from bluegreen.aws.later import Later
from bluegreen.aws.names import AwsNames
from bluegreen.colors import Color

BLUE, GREEN = Color.BLUE, Color.GREEN
PREFIX = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
BALANCER = f"{PREFIX}:loadbalancer/app/front/1"
LISTENER = f"{PREFIX}:listener/app/front/1/2"
NAMES = AwsNames("shop", "shop/dev", "/shop/active-color", "/shop/deployments")
ARNS = {color: f"{PREFIX}:targetgroup/shop-{color}/3" for color in Color}
STRANGER = f"{PREFIX}:targetgroup/other/9"


class FakeAws:
    """Answers like `AwsSession`; an error in the place of an answer is raised."""

    region = known_region = "eu-west-1"

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def call(self, service, operation, **arguments):
        self.asked.append((operation, arguments))
        answer = self.answers.get(operation, {})
        answer = answer(**arguments) if callable(answer) else answer
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pages(self, service, operation, key, **arguments):
        return list(self.call(service, operation, **arguments).get(key, []))

    @property
    def operations(self):
        return [operation for operation, _ in self.asked]


def groups_of(**by_color):
    """Auto Scaling groups by color, as an answer that goes by the filters."""

    def answer(Filters):  # noqa: N803
        wanted = {each["Name"].removeprefix("tag:"): each["Values"][0] for each in Filters}
        assert wanted["bluegreen:service"] == "shop"
        assert wanted["bluegreen:stack"] == "shop/dev"
        found = by_color.get(wanted["bluegreen:color"])
        return {"AutoScalingGroups": [found] if found else []}

    return answer


def a_group(color="blue", *, desired=2, release="1.0", version="1", instances=None, **changes):
    """A group whose instances all have its template, except for what is changed."""
    names = [f"i-{color}-{index}" for index in range(desired)]
    return {
        "AutoScalingGroupName": f"shop-{color}-members-1",
        "DesiredCapacity": desired,
        "CreatedTime": datetime(2026, 1, 1, tzinfo=UTC),
        "LaunchTemplate": {"LaunchTemplateId": f"lt-{color}", "Version": version},
        "TargetGroupARNs": [ARNS[Color(color)]],
        "Tags": [{"Key": "bluegreen:release", "Value": release}],
        "Instances": [an_instance(name, color, version) for name in names]
        if instances is None
        else instances,
        **changes,
    }


def an_instance(name, color="blue", version="1"):
    template = {"LaunchTemplateId": f"lt-{color}", "Version": version}
    return {"InstanceId": name, "LaunchTemplate": template}


def a_target(name, state="healthy", reason="", description=""):
    health = {"State": state, "Reason": reason, "Description": description}
    return {"Target": {"Id": name}, "TargetHealth": {k: v for k, v in health.items() if v}}


def a_forward(**weights):
    """A forward action as the API tells it; `stranger` is another service's target group."""
    arns = {"blue": ARNS[BLUE], "green": ARNS[GREEN], "stranger": STRANGER}
    return {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [
                {"TargetGroupArn": arns[name], "Weight": weight} for name, weight in weights.items()
            ]
        },
    }


def a_listener(*actions, port=443, arn=LISTENER):
    return {"ListenerArn": arn, "Port": port, "DefaultActions": list(actions)}


def anchors_of(aws, *, learnt=True, balancer=BALANCER):
    """The anchors of a service; `learnt` when its resources are part of the program already."""
    anchors = Anchors(aws, Groups(aws, NAMES), Later("the load balancer", balancer))
    if learnt:
        anchors.learn({color: Later(f"target group {color}", arn) for color, arn in ARNS.items()})
    return anchors
