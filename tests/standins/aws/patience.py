"""How long an operation may take, where the program says so (`custom_timeouts`)."""

import json
from dataclasses import replace

from tests.standins.aws.terraform import Plan

__all__ = ["patient"]

# Under this key a provider made with Terraform's SDK keeps them, in nanoseconds.
TIMEOUTS = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"
NANOSECONDS = 1_000_000_000


def patient(plan: Plan, operation: str, seconds: float) -> Plan:
    """The plan with that limit; 0 is none. What has no limits to configure stays as it is."""
    if not seconds:
        return plan
    private = json.loads(plan.private or b"{}") or {}
    limits = private.get(TIMEOUTS) or {}
    private[TIMEOUTS] = {**limits, operation: int(seconds * NANOSECONDS)}
    return replace(plan, private=json.dumps(private).encode())
