"""Names that stay legal on every platform."""

import re

__all__ = ["LONGEST_SERVICE_NAME", "child_name", "service_name_problem"]

LONGEST_SERVICE_NAME = 18
"""A load balancer's target group may have 32 characters; the provider's autoname takes 8 and
`-green` takes 6 (pulumi-aws `AutoName`)."""

_SERVICE_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def service_name_problem(name: str) -> str | None:
    """Says what is wrong with a service name, or None when it is legal on every platform."""
    if len(name) > LONGEST_SERVICE_NAME:
        return (
            f"service name {name!r} has {len(name)} characters; the limit is {LONGEST_SERVICE_NAME}"
        )
    if not _SERVICE_NAME.fullmatch(name):
        return (
            f"service name {name!r} must be lower-case letters, digits and single hyphens, "
            "and start with a letter"
        )
    return None


def child_name(name: str, role: str) -> str:
    """The name of a component's child: the component's own name, a hyphen, what the child is."""
    return f"{name}-{role}"
