"""How Pulumi spells what Terraform calls something."""

from collections.abc import Container

__all__ = ["camel", "is_plural", "plural", "property_name", "snake", "terraform_type"]

# Only where the rules below do not find it.
TYPES = {
    "aws:lb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:lb/getLoadBalancer:getLoadBalancer": "aws_lb",
}

# Property names that the rules below do not make: (type or function, its argument) -> name.
RENAMED = {
    ("aws_autoscaling_group", "availability_zone_distribution"): "availabilityZoneDistribution",
    ("aws_cloudwatch_metric_alarm", "alarm_name"): "name",
    ("aws_security_group", "egress"): "egress",
    ("aws_security_group", "ingress"): "ingress",
}


def camel(name: str) -> str:
    """`target_group_arn` -> `targetGroupArn`."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def snake(name: str) -> str:
    """`TargetGroup` and `targetGroup` -> `target_group`."""
    spaced = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.removeprefix("_")


def is_plural(word: str) -> bool:
    """Whether the rule leaves it as it is."""
    return word.endswith("s") and not word.endswith(("ss", "us", "is"))


def plural(word: str) -> str:
    """English, as far as the names of AWS need it."""
    if is_plural(word):
        return word
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


def property_name(owner: str, argument: str, *, is_many: bool) -> str:
    """What Pulumi calls an argument; `owner` is "" below the top level of a resource."""
    renamed = RENAMED.get((owner, argument))
    if renamed is not None:
        return renamed
    name = camel(argument)
    return plural(name) if is_many else name


def terraform_type(token: str, known: Container[str]) -> str | None:
    """`aws:lb/targetGroup:TargetGroup` -> `aws_lb_target_group`; functions likewise.

    The module is part of most names in Terraform, but not of all.
    """
    if token in TYPES:
        return TYPES[token]
    _, module, _ = token.split(":")
    module, _, name = module.partition("/")
    name = snake(name).removeprefix("get_")
    prefixed = (f"aws_{module}_{name}", f"aws_{name}", f"aws_cloudwatch_{name}")
    return next(
        (found for each in prefixed for found in (each, f"{each}s") if found in known), None
    )
