"""The scenarios' driver for AWS: real provider logic, instances that run, a real proxy as balancer.

`tests/standins/aws_cloud` says what about it is not AWS.
"""

import contextlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from bluegreen.aws.event_journal import STREAM
from bluegreen.aws.names import COLOR_TAG
from bluegreen.aws.weights import forward_weights, route_of
from bluegreen.colors import Color
from bluegreen.traffic import TrafficSplit
from tests.engine.pulumi_stack import REPOSITORY, PulumiStack, Step
from tests.engine.stack_driver import StackDriver
from tests.load.servers import APP
from tests.standins.aws.session import AwsBridge
from tests.standins.aws_cloud.cloud import Cloud

__all__ = ["AwsDriver", "Region", "aws_driver", "aws_region"]

PRODUCTION, TEST = 80, 8443
PACE = 0.05
"""Real seconds that a second of the cloud takes."""

_PARTS = ("-template", "-pinned", "-listener")


@dataclass(frozen=True)
class Region:
    """A cloud, and the plugin that every stack of a test run shares."""

    cloud: Cloud
    bridge: AwsBridge


class AwsDriver(StackDriver):
    """Implements `tests.engine.driver.Driver`."""

    sees_drift = False
    can_split = True
    # Members that were replaced by hand or by permission come by the group's own pace.
    settle_seconds = 10.0

    def is_told(self, step: Step) -> bool:
        """Not of parts of a fleet and the test endpoint; what they do has tests of its own."""
        return step.name != "shop-test" and not step.name.endswith(_PARTS)

    def __init__(
        self, directory: Path, region: Region, *, main: Path = REPOSITORY / "stacks"
    ) -> None:
        self.cloud = region.cloud
        self.balancer = self.cloud.load_balancer()
        self.elb, self.scaling = self.cloud.client("elbv2"), self.cloud.client("autoscaling")
        self.main, self.bridge = main, region.bridge
        self.stack = PulumiStack(directory, main=main)
        self.stack.environment |= region.bridge.environment
        self.configure("service", self.service_settings())

    def service_settings(self) -> dict[str, Any]:
        """A service whose every wait is short."""
        return {
            "name": "shop",
            "platform": "aws",
            "port": PRODUCTION,
            "health_check": {
                "path": "/health/ready",
                "interval_seconds": 5,
                "timeout_seconds": 2,
                "healthy_threshold": 2,
                "unhealthy_threshold": 2,
            },
            "gates": {
                "timeout_seconds": 20,
                "capacity": {"timeout_seconds": 10},
                "http": {"ready": {"path": "/health/ready", "interval_seconds": 0.05}},
                "release": {"path": "/version", "interval_seconds": 0.05, "timeout_seconds": 3},
            },
            "color_from": {"header": "X-Bluegreen-Color"},
            "follow": {"timeout_seconds": 10},
            "drain": {"timeout_seconds": 2, "stop_seconds": 2},
            "retention_hours": 0,
            "aws": self.aws_settings(),
        }

    def aws_settings(self) -> dict[str, Any]:
        return {
            "load_balancer_arn": self.balancer,
            "load_balancer_security_group_id": self.cloud.security_group(),
            "vpc_id": self.cloud.vpc(),
            "subnet_ids": self.cloud.subnets(),
            "protocol": "HTTP",
            "test_port": TEST,
            "production_url": self.url("production"),
            "test_url": self.url("test"),
            "image_id": self.cloud.image(),
            "user_data": f'exec python {APP} --host "$BLUEGREEN_TEST_HOST" --port "$PORT"\n',
            "health_check_grace_seconds": 200,
            "ready_timeout_seconds": 20,
            "alarms": None,
        }

    def url(self, endpoint: str) -> str:
        """The load balancer's address for `production` or `test`, as a client here has it."""
        port = {"production": PRODUCTION, "test": TEST}[endpoint]
        return f"http://127.0.0.1:{self.cloud.port_for(port)}"

    def listener(self) -> dict[str, Any] | None:
        """What moves production traffic."""
        found = self.elb.describe_listeners(LoadBalancerArn=self.balancer)["Listeners"]
        return next((each for each in found if each["Port"] == PRODUCTION), None)

    def target_groups(self) -> dict[Color, str]:
        """The ARN of each color's."""
        arns = [
            each["TargetGroupArn"] for each in self.elb.describe_target_groups()["TargetGroups"]
        ]
        found = self.elb.describe_tags(ResourceArns=arns)["TagDescriptions"] if arns else []
        return {
            Color(tag["Value"]): each["ResourceArn"]
            for each in found
            for tag in each["Tags"]
            if tag["Key"] == COLOR_TAG
        }

    def group(self, color: str) -> dict[str, Any]:
        """The Auto Scaling group of one color."""
        found = self.scaling.describe_auto_scaling_groups(
            Filters=[{"Name": f"tag:{COLOR_TAG}", "Values": [color]}]
        )
        (one,) = found["AutoScalingGroups"]
        return dict(one)

    def live(self) -> TrafficSplit | None:
        listener = self.listener()
        if listener is None:
            return None
        route = route_of(forward_weights(listener["DefaultActions"]), self.target_groups())
        return route.split if route else None

    def ask(self, endpoint: str, count: int = 20) -> Counter[str]:
        answers = []
        with httpx.Client(base_url=self.url(endpoint), trust_env=False) as client:
            for _ in range(count):
                answers.append(client.get("/version"))
                # Each question is another client's: a canary keeps the color of one it knows.
                client.cookies.clear()
        return Counter(
            f"{answer.json()['color']} {answer.json()['version']}"
            if answer.is_success
            else str(answer.status_code)
            for answer in answers
        )

    def move_by_hand(self, active: str | None, percent: int = 0) -> None:
        """As the console does."""
        groups = self.target_groups()
        if active is None:
            weights = dict.fromkeys(groups.values(), 0) | {self._empty_group: 1}
        else:
            weights = {
                arn: 100 - percent if color == active else percent for color, arn in groups.items()
            }
        self.write([{"TargetGroupArn": arn, "Weight": each} for arn, each in weights.items()])

    def write(self, target_groups: list[dict[str, Any]]) -> None:
        """Changes who production forwards to, and nothing else."""
        listener = self.listener()
        assert listener is not None
        (action,) = listener["DefaultActions"]
        forward = action["ForwardConfig"] | {"TargetGroups": target_groups}
        self.elb.modify_listener(
            ListenerArn=listener["ListenerArn"],
            DefaultActions=[{"Type": "forward", "ForwardConfig": forward}],
        )

    def end_members(self, color: str) -> None:
        """By the group's size: members that are ended alone would be replaced."""
        self.scaling.update_auto_scaling_group(
            AutoScalingGroupName=self.group(color)["AutoScalingGroupName"],
            MinSize=0,
            DesiredCapacity=0,
        )

    def events(self) -> list[dict[str, Any]]:
        found = self.cloud.client("logs").get_log_events(
            logGroupName="/shop/deployments", logStreamName=STREAM, startFromHead=True
        )
        events = [json.loads(each["message"]) for each in found["events"]]
        # Also where a script has written some.
        return sorted(events, key=lambda event: datetime.fromisoformat(event["timestamp"]))

    @cached_property
    def _empty_group(self) -> str:
        """A target group that nobody ever registered anything in."""
        made = self.elb.create_target_group(
            Name="purple", Protocol="HTTP", Port=8080, VpcId=self.cloud.vpc()
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])


@contextlib.contextmanager
def aws_region() -> Iterator[Region]:
    """A cloud that is quicker than AWS, and a plugin that writes there."""
    with (
        Cloud(pace=PACE, stop_seconds=1.0) as cloud,
        AwsBridge(cloud.endpoint, cloud.region) as bridge,
    ):
        yield Region(cloud, bridge)


@contextlib.contextmanager
def aws_driver(region: Region, *, main: Path = REPOSITORY / "stacks") -> Iterator[AwsDriver]:
    """A driver in an empty account."""
    region.cloud.reset()
    directory = Path(tempfile.mkdtemp(prefix="bg-"))
    try:
        yield AwsDriver(directory, region, main=main)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        # Instances that run on would take time from the next test, whoever's it is.
        region.cloud.reset()
