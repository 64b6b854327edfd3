"""Whether the load balancer is where hooks and provider work. Pure."""

from typing import NamedTuple

__all__ = ["Elsewhere", "elsewhere"]

_PARTS = 6


class Elsewhere(NamedTuple):
    """A load balancer in a region in which this update does nothing."""

    problem: str
    advice: str


def elsewhere(arn: object, region: str | None) -> Elsewhere | None:
    """What is wrong when a load balancer is in another region than is asked; None if nothing is.

    Args:
        arn: Its ARN; nothing can be told while it is an output, or not known yet.
        region: Which region is asked; None where nobody knows.
    """
    there = _region_in(arn)
    if there is None or region is None or there == region:
        return None
    return Elsewhere(
        f"the load balancer is in {there}, and this update works in {region}",
        f"`pulumi config set aws:region {there}`, or set AWS_REGION to it, or name a load "
        f"balancer of {region}; with a provider of your own say AsgServiceArgs(region=…)",
    )


def _region_in(arn: object) -> str | None:
    # arn:PARTITION:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/…
    parts = arn.split(":", 5) if isinstance(arn, str) else []
    return parts[3] or None if len(parts) == _PARTS and parts[0] == "arn" else None
