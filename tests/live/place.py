"""Where in a real account of AWS the live tests may work: all of it stands in the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ON", "Place", "why_not"]

ON = "BLUEGREEN_LIVE_AWS"
PREFIX = "BLUEGREEN_LIVE_"
NEEDED = {
    "LOAD_BALANCER_ARN": "an Application Load Balancer with free ports 80 and 8443",
    "SECURITY_GROUP_ID": "its security group, which lets you in to port 80",
    "VPC_ID": "its VPC",
    "SUBNET_IDS": "subnets for the members, with commas; in two zones",
    "IMAGE_ID": "an image with python3, for example of Amazon Linux 2023",
    "CIDR": "where you ask from, for example 192.0.2.7/32",
}
"""What has to be named, and what it is."""


def why_not(environment: Mapping[str, str] = os.environ) -> str | None:
    """Why nothing is done in AWS; None if something may be."""
    if environment.get(ON) != "1":
        return f"costs money in a real account; {ON}=1 runs it, docs/aws.md says with what else"
    missing = [name for name in NEEDED if not environment.get(PREFIX + name)]
    if missing:
        words = ", ".join(f"{PREFIX}{name} ({NEEDED[name]})" for name in missing)
        return f"{ON} is set, but not {words}"
    if not (environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")):
        return f"{ON} is set, but not AWS_REGION"
    return None


@dataclass(frozen=True)
class Place:
    """What was named, as a service's settings have it."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def for_programs(self) -> dict[str, str]:
        """What a `pulumi` command needs of it: credentials, region, and where its plugins are."""
        kept = ("AWS_", "PULUMI_DEBUG_PROVIDERS")
        own = {key: value for key, value in self.environment.items() if key.startswith(kept)}
        return {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "false", **own}

    def settings(self, production: str, user_data: str) -> dict[str, Any]:
        """`service.aws`, in plain HTTP, so that no certificate is needed."""
        test = self.environment.get(f"{PREFIX}TEST_URL") or f"{production}:8443"
        return {
            "load_balancer_arn": self["LOAD_BALANCER_ARN"],
            "load_balancer_security_group_id": self["SECURITY_GROUP_ID"],
            "vpc_id": self["VPC_ID"],
            "subnet_ids": self["SUBNET_IDS"].split(","),
            "image_id": self["IMAGE_ID"],
            "test_allowed_cidrs": [self["CIDR"]],
            "instance_type": self.environment.get(f"{PREFIX}INSTANCE_TYPE", "t3.micro"),
            "public_addresses": self.environment.get(f"{PREFIX}PUBLIC_ADDRESSES") == "1",
            "protocol": "HTTP",
            "production_url": production,
            "test_url": test,
            "user_data": user_data,
            "health_check_grace_seconds": 200,
        }

    def __getitem__(self, name: str) -> str:
        return self.environment[PREFIX + name]
