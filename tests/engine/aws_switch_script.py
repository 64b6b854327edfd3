"""The switch script of the requirements, step by step: what `pulumi up` is compared with.

It is here to be compared with, and not to be used: it moves traffic behind the back of the stack.
Where it cannot be word for word: the listener's port is an argument (443 in the requirements), and
a target group is found by the beginning of its name, `shop-green-…`, because one with a fixed name
could not be replaced while it is in use.
"""

import argparse
import contextlib
import getpass
import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

import boto3

__all__ = ["main"]

COLORS = ("blue", "green")
STREAM = "traffic-switches"
SETTLE_SECONDS = 5


class StoppedError(Exception):
    """The script ends here."""


def main() -> int:
    """Switches; 0 when all traffic goes to the color, also when it did before."""
    parser = argparse.ArgumentParser(prog="switch-traffic")
    parser.add_argument("color", nargs="?")
    parser.add_argument("--service", required=True)
    parser.add_argument("--load-balancer", required=True)
    parser.add_argument("--port", type=int, default=443)
    options = parser.parse_args()
    if options.color not in COLORS:
        print("Usage: switch-traffic [blue|green]")
        return 1
    try:
        Switch(options.service, options.load_balancer, options.port).to(options.color)
    except StoppedError as error:
        print(f"ERROR: {error}")
        return 1
    return 0


class Switch:
    """The steps, in the order in which the requirements have them."""

    def __init__(self, service: str, load_balancer: str, port: int) -> None:
        self.service, self.load_balancer, self.port = service, load_balancer, port
        self.parameter = f"/{service}/active-color"
        self.log_group = f"/{service}/deployments"
        self.elb, self.ssm = boto3.client("elbv2"), boto3.client("ssm")
        self.logs = boto3.client("logs")

    def to(self, color: str) -> None:
        current = self.ssm.get_parameter(Name=self.parameter)["Parameter"]["Value"]
        print(f"Current active environment: {current}")
        if current == color:
            print(f"{color} is already active")
            return
        self.record(current, color)
        group = self.target_group(color)
        healthy = self.healthy_targets(group)
        print(f"{color} has {healthy} healthy targets")
        if healthy < 1:
            raise StoppedError(f"no healthy targets in {color}; traffic was not switched")
        listener = self.listener()["ListenerArn"]
        action = {"Type": "forward", "TargetGroupArn": group}
        self.elb.modify_listener(ListenerArn=listener, DefaultActions=[action])
        self.ssm.put_parameter(Name=self.parameter, Value=color, Type="String", Overwrite=True)
        time.sleep(SETTLE_SECONDS)
        (told,) = self.listener()["DefaultActions"]
        if told.get("TargetGroupArn") != group:
            raise StoppedError("verification failed: the listener does not point to the new group")
        print(f"Traffic switched to {color}; {current} is still running")
        print(f"To roll back: switch-traffic {current}")

    def record(self, current: str, color: str) -> None:
        now = datetime.now(UTC)
        event = {
            "timestamp": now.isoformat(),
            "from": current,
            "to": color,
            "user": os.environ.get("USER") or getpass.getuser(),
        }
        place = {"logGroupName": self.log_group, "logStreamName": STREAM}
        with contextlib.suppress(self.logs.exceptions.ResourceAlreadyExistsException):
            self.logs.create_log_stream(**place)
        entry = {"timestamp": int(now.timestamp() * 1000), "message": json.dumps(event)}
        self.logs.put_log_events(**place, logEvents=[entry])

    def target_group(self, color: str) -> str:
        groups = self.elb.describe_target_groups()["TargetGroups"]
        beginning = f"{self.service}-{color}-"
        (arn,) = [
            each["TargetGroupArn"]
            for each in groups
            if each["TargetGroupName"].startswith(beginning)
        ]
        return str(arn)

    def healthy_targets(self, group: str) -> int:
        found = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return sum(each["TargetHealth"]["State"] == "healthy" for each in found)

    def listener(self) -> dict[str, Any]:
        found = self.elb.describe_listeners(LoadBalancerArn=self.load_balancer)["Listeners"]
        (listener,) = [each for each in found if each["Port"] == self.port]
        return dict(listener)


if __name__ == "__main__":
    sys.exit(main())
