"""A service of two colors on AWS, made by calls of the API as a stack makes it."""

import base64
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.load.servers import APP

COLORS = ("blue", "green")
PORT = 8080


class Shop:
    """Both colors' target groups behind the production listener, all weight on blue."""

    def __init__(self, cloud: Any) -> None:
        """Takes a cloud, or whatever else has `client`, `vpc` and the like."""
        self.cloud = cloud
        self.elb, self.scaling = cloud.client("elbv2"), cloud.client("autoscaling")
        self.ec2 = cloud.client("ec2")
        self.image = cloud.image()
        self.groups = {color: self.add_target_group(color) for color in COLORS}
        self.listener = self.add_listener(443, self.active("blue"))

    def add_target_group(self, name: str, **settings: Any) -> str:
        made = self.elb.create_target_group(
            **{
                "Name": name,
                "Protocol": "HTTP",
                "Port": PORT,
                "VpcId": self.cloud.vpc(),
                "HealthCheckPath": "/health/ready",
                "HealthCheckIntervalSeconds": 5,
                "HealthCheckTimeoutSeconds": 2,
                "HealthyThresholdCount": 2,
            }
            | settings
        )
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        self.set_drain(arn, 20)
        return arn

    def set_drain(self, group: str, seconds: int) -> None:
        attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": str(seconds)}
        self.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[attribute])

    def add_listener(self, port: int, actions: list[Any], protocol: str = "HTTPS") -> str:
        certificates = [{"CertificateArn": self.cloud.certificate()}]
        made = self.elb.create_listener(
            LoadBalancerArn=self.cloud.load_balancer(),
            Port=port,
            Protocol=protocol,
            DefaultActions=actions,
            **({"Certificates": certificates} if protocol == "HTTPS" else {}),
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def forward(self, sticky_seconds: int = 0, **weights: int) -> list[Any]:
        config: dict[str, Any] = {
            "TargetGroups": [
                {"TargetGroupArn": self.groups[color], "Weight": weights.get(color, 0)}
                for color in COLORS
            ]
        }
        if sticky_seconds:
            sticky = {"Enabled": True, "DurationSeconds": sticky_seconds}
            config["TargetGroupStickinessConfig"] = sticky
        return [{"Type": "forward", "ForwardConfig": config}]

    def active(self, color: str) -> list[Any]:
        return self.forward(**{color: 100})

    def switch(self, color: str) -> None:
        self.elb.modify_listener(ListenerArn=self.listener, DefaultActions=self.active(color))

    def add_fleet(
        self,
        color: str,
        size: int = 2,
        *,
        most: int = 4,
        options: str = "",
        health: str = "EC2",
        grace_seconds: int = 0,
    ) -> str:
        """Starts instances of the example application; returns the name of the group."""
        self.add_template(color, options=options)
        self.scaling.create_auto_scaling_group(
            AutoScalingGroupName=color,
            MinSize=0,
            DesiredCapacity=size,
            MaxSize=most,
            LaunchTemplate={"LaunchTemplateName": color, "Version": "$Latest"},
            TargetGroupARNs=[self.groups[color]],
            VPCZoneIdentifier=",".join(self.cloud.subnets()),
            HealthCheckType=health,
            HealthCheckGracePeriod=grace_seconds,
        )
        return color

    def add_template(self, color: str, *, options: str = "", release: str = "1") -> None:
        data = self.template_data(color, options=options, release=release)
        self.ec2.create_launch_template(LaunchTemplateName=color, LaunchTemplateData=data)

    def template_data(self, color: str, *, options: str = "", release: str = "1") -> dict[str, str]:
        script = (
            "#!/bin/sh\n"
            f"export BLUEGREEN_COLOR='{color}'\n"
            f"export BLUEGREEN_RELEASE='{release}'\n"
            f"export PORT='{PORT}'\n"
            f'exec python {APP} --host "$BLUEGREEN_TEST_HOST" --port "$PORT" {options}\n'
        )
        data = base64.b64encode(script.encode()).decode()
        return {"ImageId": self.image, "InstanceType": "t3.micro", "UserData": data}

    def run_alone(self, script: str) -> None:
        """Starts an instance that no group has."""
        made = self.ec2.run_instances(
            ImageId=self.cloud.image(),
            MinCount=1,
            MaxCount=1,
            SubnetId=self.cloud.subnets()[0],
            UserData=script,
        )
        self.alone = str(made["Instances"][0]["InstanceId"])

    def is_running(self, instance: str) -> bool:
        found = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]
        return bool(found["Instances"][0]["State"]["Name"] == "running")

    def output_of_the_only(self) -> str:
        wait(lambda: self.is_running(self.alone))
        return str(self.cloud.output_of(self.alone))

    def states(self, color: str) -> list[str]:
        return [state for state, _ in self.health(color)]

    def health(self, color: str) -> list[tuple[str, str | None]]:
        found = self.elb.describe_target_health(TargetGroupArn=self.groups[color])
        return [
            (each["TargetHealth"]["State"], each["TargetHealth"].get("Reason"))
            for each in found["TargetHealthDescriptions"]
        ]

    def wait_states(self, color: str, *states: str) -> None:
        wait(lambda: sorted(self.states(color)) == sorted(states), lambda: self.states(color))

    def instances(self, group: str) -> dict[str, str]:
        """The lifecycle states of a group's instances."""
        found = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        (one,) = found["AutoScalingGroups"]
        return {each["InstanceId"]: each["LifecycleState"] for each in one["Instances"]}

    def url(self, path: str = "/", listener: str | None = None) -> str:
        port = self.cloud.port_of(listener or self.listener)
        return f"http://127.0.0.1:{port}{path}"

    def color(self, listener: str | None = None, **headers: str) -> str:
        """Which color answers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url(listener=listener), headers=named)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.headers["X-Bluegreen-Color"])


def wait(
    is_true: Callable[[], bool], found: Callable[[], object] = lambda: "", seconds: float = 20
) -> None:
    """Waits until something is true; what is found instead is in the failure."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, f"not within {seconds} s; found: {found()}"
        time.sleep(0.02)
