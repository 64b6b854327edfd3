"""A stack in an account that stands in for AWS: two services behind one load balancer."""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.aws.asked import Request, requests_of
from benchmarks.figures import Memory
from benchmarks.stack import BenchmarkError, Done, Stack, directory_of_stack
from benchmarks.traffic.waiting import eventually
from bluegreen.aws.names import COLOR_TAG, SERVICE_TAG, tags_of_list
from bluegreen.aws.weights import forward_weights, route_of
from bluegreen.colors import Color
from tests.engine.aws_driver import Region
from tests.engine.pulumi_stack import STAND_INS
from tests.load.servers import APP
from tests.standins.aws_cloud.cloud import Cloud

__all__ = ["AwsStack", "Ground", "stack_of", "stack_settings"]

_MEMBERS = 2
_READY_SECONDS = 60.0
_FIRST_PORT = 8000


@dataclass(frozen=True, slots=True)
class Ground:
    """What was there before the service."""

    load_balancer: str
    security_group: str
    vpc: str
    subnets: list[str]
    image: str

    @classmethod
    def of(cls, cloud: Cloud) -> "Ground":
        """What the account has."""
        return cls(
            cloud.load_balancer(),
            cloud.security_group(),
            cloud.vpc(),
            cloud.subnets(),
            cloud.image(),
        )


def stack_settings(
    name: str, ground: Ground, *, port: int = 80, urls: tuple[str, str] | None = None
) -> dict[str, Any]:
    """The same config for every program: everything is written, since a plain one has no defaults.

    Gates and verification are on, with short pauses: their time is taken off again.

    Args:
        name: Of the service: two of one name cannot be in an account.
        ground: What it stands on.
        port: Of production; the next one is the test endpoint's.
        urls: Where production and the test endpoint are reached from here.
    """
    ask = {"consecutive": 3, "interval_seconds": 0.05, "timeout_seconds": 10}
    production, test = urls or (f"http://{name}.example", f"http://{name}.example:{port + 1}")
    service = {
        "name": name,
        "platform": "aws",
        "port": port,
        "health_check": {
            "path": "/health/ready",
            "interval_seconds": 5,
            "timeout_seconds": 2,
            "healthy_threshold": 2,
            "unhealthy_threshold": 2,
        },
        "gates": {
            "release": {"path": "/version", **ask},
            "http": {"ready": {"path": "/health/ready", **ask}},
        },
        "color_from": {"header": "X-Bluegreen-Color"},
        "follow": {"timeout_seconds": 20},
        "drain": {"timeout_seconds": 2, "stop_seconds": 2},
        "retention_hours": 0,
        "aws": {
            "load_balancer_arn": ground.load_balancer,
            "load_balancer_security_group_id": ground.security_group,
            "vpc_id": ground.vpc,
            "subnet_ids": ground.subnets,
            "protocol": "HTTP",
            "test_port": port + 1,
            "production_url": production,
            "test_url": test,
            "image_id": ground.image,
            "instance_type": "t3.small",
            "target_port": 8080,
            "user_data": f'exec python {APP} --host "$BLUEGREEN_TEST_HOST" --port "$PORT"\n',
            "health_check_grace_seconds": 200,
            "ready_timeout_seconds": 60,
            "canary_stickiness_seconds": 3600,
            "events_retention_days": 365,
            "alarms": {
                "target_5xx_per_minute": 10,
                "p99_seconds": 0.5,
                "unhealthy_hosts": 1,
                "minutes": 3,
            },
        },
    }
    return {
        "active_color": "blue",
        "service": service,
        "blue": {"release": "1.0", "replicas": _MEMBERS},
        "green": {"release": "1.1", "replicas": _MEMBERS},
    }


class AwsStack(Stack):
    """One program and what it has deployed in the account."""

    def __init__(self, program: Path, directory: Path, place: Region, port: int) -> None:
        self._cloud = place.cloud
        self._port = port
        self._last: Done | None = None
        # Also what tells its things from those of the other program.
        self._service = program.name
        environment = place.bridge.environment | {"PATH": f"{os.environ['PATH']}:{STAND_INS}"}
        production, test = (
            f"http://127.0.0.1:{self._cloud.port_for(each)}" for each in (port, port + 1)
        )
        settings = stack_settings(
            self._service, Ground.of(self._cloud), port=port, urls=(production, test)
        )
        super().__init__(program, directory, settings, environment)

    def deploy(self) -> Memory:
        """Creates everything; returns when both colors are ready, whoever waits for that."""
        memory = super().deploy()
        eventually(self._is_ready, f"members of {self._service} are ready", _READY_SECONDS)
        return memory

    def apply(self) -> Done:
        """An update, whatever it changes."""
        self._last = super().apply()
        return self._last

    def judged_seconds(self) -> float:
        """As for all; the making of clients is a cost of the library, and not of the gates."""
        made = sum(float(each["made_seconds"]) for each in self._notes() if "made_seconds" in each)
        return super().judged_seconds() - made

    def requests(self) -> Counter[Request]:
        """What was asked of the API in the last update that changed something, and who asked."""
        if self._last is None:
            return Counter()
        return requests_of(self._cloud.calls, self._last, self._notes())

    def live(self) -> Color | None:
        """The color that the listener sends everything to now."""
        route = route_of(forward_weights(self._listener()["DefaultActions"]), self._target_groups())
        return route.active if route else None

    def remove(self) -> None:
        """Destroys everything; the account is forgotten besides."""
        self._destroy()

    def _check_switched(self, color: Color) -> None:
        live = self.live()
        found = self._cloud.client("ssm").get_parameter(Name=f"/{self._service}/active-color")
        flagged = found["Parameter"]["Value"]
        if live is not color or flagged != color:
            msg = f"an update to {color} left {live} live, {flagged} flagged; its time says nothing"
            raise BenchmarkError(msg)

    def _listener(self) -> dict[str, Any]:
        found = self._cloud.client("elbv2").describe_listeners(
            LoadBalancerArn=self._cloud.load_balancer()
        )
        (listener,) = (each for each in found["Listeners"] if each["Port"] == self._port)
        return dict(listener)

    def _target_groups(self) -> dict[Color, str]:
        balancing = self._cloud.client("elbv2")
        groups = balancing.describe_target_groups()["TargetGroups"]
        described = balancing.describe_tags(
            ResourceArns=[each["TargetGroupArn"] for each in groups]
        )
        tags = {
            each["ResourceArn"]: tags_of_list(each["Tags"]) for each in described["TagDescriptions"]
        }
        return {
            Color(each[COLOR_TAG]): arn
            for arn, each in tags.items()
            if each.get(SERVICE_TAG) == self._service
        }

    def _is_ready(self) -> bool:
        balancing = self._cloud.client("elbv2")
        states = [
            each["TargetHealth"]["State"]
            for arn in self._target_groups().values()
            for each in balancing.describe_target_health(TargetGroupArn=arn)[
                "TargetHealthDescriptions"
            ]
        ]
        return states == ["healthy"] * (2 * _MEMBERS)


@contextlib.contextmanager
def stack_of(program: Path, place: Region, number: int) -> Iterator[AwsStack]:
    """A stack of a program; `number` tells its ports from those of the others."""
    with directory_of_stack() as directory:
        stack = AwsStack(program, directory, place, _FIRST_PORT + 10 * number)
        try:
            yield stack
        finally:
            stack.remove()
