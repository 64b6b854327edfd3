"""A service on AWS in a recorded program, and what its tests compare."""

from typing import Any

import pulumi

from bluegreen.aws import AsgService, AsgServiceArgs
from tests.components.conftest import Deploy, Recording
from tests.unit.written import a_config

TOKEN = "bluegreen:index:AsgService"
ACCOUNT = "eu-west-1:123456789012"
BALANCER = f"arn:aws:elasticloadbalancing:{ACCOUNT}:loadbalancer/app/front/50dc6c495c0c9188"
SHARED_LISTENER = (
    f"arn:aws:elasticloadbalancing:{ACCOUNT}:listener/app/front/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
CERTIFICATE = f"arn:aws:acm:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
RULE = {"listener_arn": SHARED_LISTENER, "priority": 10, "hosts": ["shop.example"]}
ROUTERS = ("listener", "rule")


def aws_settings(router: str = "listener", **changes: Any) -> dict[str, Any]:
    """Settings without problems, except for what is changed; None removes a key."""
    settings = {
        "load_balancer_arn": BALANCER,
        "vpc_id": "vpc-1",
        "subnet_ids": ["subnet-1", "subnet-2"],
        "certificate_arn": CERTIFICATE,
        "load_balancer_security_group_id": "sg-1",
        "image_id": "ami-1",
        "production_url": "https://shop.example",
        **({"rule": RULE} if router == "rule" else {}),
        **changes,
    }
    return {key: value for key, value in settings.items() if value is not None}


def config_of(
    router: str = "listener",
    *,
    service: dict[str, Any] | None = None,
    aws: dict[str, Any] | None = None,
    **changes: Any,
) -> Any:
    whole = {"platform": "aws", "aws": aws_settings(router, **(aws or {})), **(service or {})}
    return a_config(service=whole, **changes)  # type: ignore[no-untyped-call]


def a_service(
    deploy: Deploy,
    router: str = "listener",
    *,
    answers: dict[str, dict[str, Any]] | None = None,
    **changes: Any,
) -> Recording:
    args = AsgServiceArgs(config=config_of(router, **changes), region="eu-west-1")

    def program() -> None:
        for name, value in AsgService("shop", args).stack_outputs().items():
            pulumi.export(name, value)

    return deploy(program, answers=answers)
