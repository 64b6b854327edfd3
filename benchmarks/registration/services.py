"""The config of many services, each complete."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["PLATFORMS", "settings_of"]

_FIRST_PORT = 18_000


def settings_of(platform: str, number: int) -> dict[str, Any]:
    """The config of one service; only names are told apart, since nothing is started."""
    return PLATFORMS[platform](f"{_SERVICE}-{number}")


def _onprem(name: str) -> dict[str, Any]:
    from benchmarks.onprem_stack import stack_settings  # noqa: PLC0415

    settings = stack_settings(_FIRST_PORT)
    onprem = settings["service"]["onprem"] | {"run_directory": f"run/{name}"}
    return settings | {"service": settings["service"] | {"name": name, "onprem": onprem}}


def _kubernetes(name: str) -> dict[str, Any]:
    from benchmarks.kubernetes.stack import stack_settings  # noqa: PLC0415

    settings = stack_settings("shops", f"http://{name}.example")
    return settings | {"service": settings["service"] | {"name": name}}


def _aws(name: str) -> dict[str, Any]:
    from benchmarks.aws.stack import Ground, stack_settings  # noqa: PLC0415

    account = "eu-west-1:123456789012"
    balancer = f"arn:aws:elasticloadbalancing:{account}:loadbalancer/app/front/50dc6c495c0c9188"
    return stack_settings(name, Ground(balancer, "sg-1", "vpc-1", ["subnet-1"], "ami-1"))


_SERVICE = "shop"
PLATFORMS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "onprem": _onprem,
    "kubernetes": _kubernetes,
    "aws": _aws,
}
"""Imported where they are used: a program has those of its own platform only."""
