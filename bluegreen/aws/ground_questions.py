"""What has to be so before a service can be made, or changed, on AWS."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.aws.finding import Finding
from bluegreen.aws.regions import elsewhere
from bluegreen.aws.surroundings import Surroundings
from bluegreen.colors import Color

__all__ = ["QUESTIONS", "Question"]

_Values = Mapping[str, Any]
_Findings = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Question:
    """Asked when one of the properties that it needs has changed; see `standing_of`."""

    ask: Callable[[Surroundings, _Values], _Findings]
    """Tells what is wrong; raises `DataPlaneError` when nobody can tell."""

    needs: tuple[str, ...]


def _the_load_balancer(around: Surroundings, values: _Values) -> _Findings:
    arn, vpc = values["load_balancer"], values["vpc"]
    if wrong := elsewhere(arn, around.region):
        yield Finding("service.aws.load_balancer_arn", wrong.problem, wrong.advice)
        return
    found = around.load_balancer(arn)
    if found is None:
        yield around.finding(
            "load_balancer_arn", f"there is no load balancer {arn} in this account", "ARN"
        )
    elif found.get("Type", "application") != "application":
        yield around.finding(
            "load_balancer_arn",
            f"{arn} is a {found['Type']} load balancer, no application one",
            "ARN",
        )
    elif found.get("VpcId") != vpc:
        yield around.finding(
            "vpc_id",
            f"{vpc} is not where the load balancer is, which is in {found.get('VpcId')}",
            str(found.get("VpcId")),
        )


def _its_security_group(around: Surroundings, values: _Values) -> _Findings:
    group = values["load_balancer_group"]
    found = around.load_balancer(values["load_balancer"])
    groups = list((found or {}).get("SecurityGroups") or [])
    if found is not None and group not in groups:
        yield around.finding(
            "load_balancer_security_group_id",
            f"{group} is no group of the load balancer, which has {_listed(groups)}: the members "
            "would let nobody in",
            next(iter(groups), "sg-ID"),
        )


def _the_subnets(around: Surroundings, values: _Values) -> _Findings:
    vpc, wanted = _network(around, values), list(values["subnets"])
    there = around.subnets(wanted)
    missing = [each for each in wanted if each not in there]
    others = [each for each in wanted if each in there and there[each]["VpcId"] != vpc]
    if missing:
        what = f"there is no {_listed(missing)} in this account and region"
        yield around.finding("subnet_ids", what, "subnet-ID", missing[0])
    if others:
        what = f"{_listed(others)} {_is(others)} not in {vpc}"
        yield around.finding("subnet_ids", what, "subnet-ID", others[0])
    if not missing and not others:
        zones = {name: str(each["AvailabilityZone"]) for name, each in there.items()}
        yield from _their_zones(around, values["load_balancer"], zones)


def _their_zones(around: Surroundings, balancer: str, zones: Mapping[str, str]) -> _Findings:
    found = around.load_balancer(balancer) or {}
    served = sorted(str(each["ZoneName"]) for each in found.get("AvailabilityZones") or [])
    unserved = [name for name, zone in zones.items() if zone not in served]
    if served and unserved:
        yield around.finding(
            "subnet_ids",
            f"members in {zones[unserved[0]]} would get no requests: the load balancer is in "
            f"{_listed(served)}",
            "subnet-ID",
            unserved[0],
        )


def _the_members_groups(around: Surroundings, values: _Values) -> _Findings:
    vpc, wanted = _network(around, values), list(values["members_groups"])
    there = around.security_groups(wanted)
    wrong = [each for each in wanted if each not in there or there[each].get("VpcId") != vpc]
    if wrong:
        yield around.finding(
            "instance_security_group_ids",
            f"there is no {_listed(wrong)} in {vpc}",
            "sg-ID",
            wrong[0],
        )


def _the_image(color: Color) -> Question:
    def ask(around: Surroundings, values: _Values) -> _Findings:
        name, key = values[f"{color}_image"], around.image_keys[color]
        found = around.image(name)
        if found is None:
            what = f"there is no image {name} in {around.region} that this account may use"
        elif found.get("State", "available") != "available":
            what = f"the image {name} is {found['State']}"
        else:
            return
        yield Finding(key, what, f"`pulumi config set --path {key} ami-ID`")

    return Question(ask, (f"{color}_image",))


def _the_instance_type(around: Surroundings, values: _Values) -> _Findings:
    name = values["instance_type"]
    if not around.is_offered(name):
        yield around.finding(
            "instance_type", f"{around.region} has no instances of type {name}", "TYPE"
        )


def _the_instance_profile(around: Surroundings, values: _Values) -> _Findings:
    name = values["instance_profile"]
    if not around.has_instance_profile(name):
        yield around.finding(
            "instance_profile", f"there is no instance profile {name} in this account", "NAME"
        )


def _the_certificate(around: Surroundings, values: _Values) -> _Findings:
    arn = values["certificate"]
    _, _, service, region, *_ = arn.split(":")
    if service != "acm":
        return
    if region != around.region:
        yield around.finding(
            "certificate_arn",
            f"it is in {region}, and listeners of {around.region} use certificates of their own "
            "region only",
            "ARN",
        )
        return
    status = around.certificate_status(arn)
    if status is None:
        yield around.finding("certificate_arn", f"there is no certificate {arn}", "ARN")
    elif status != "ISSUED":
        yield around.finding(
            "certificate_arn",
            f"the certificate is not issued, it is {status.lower().replace('_', ' ')}",
            "ARN",
        )


def _the_tls_policy(around: Surroundings, values: _Values) -> _Findings:
    name = values["tls_policy"]
    if not around.has_tls_policy(name):
        yield around.finding(
            "ssl_policy",
            f"load balancers know no TLS policy {name}",
            "ELBSecurityPolicy-TLS13-1-2-2021-06",
        )


def _a_port(name: str, key: str, fix: str) -> Question:
    def ask(around: Surroundings, values: _Values) -> _Findings:
        port = int(values[name])
        owner = around.foreign_listener(values["load_balancer"], port)
        if owner is not None:
            what = f"a listener of {owner} has port {port} of the load balancer"
            yield Finding(key, what, f"`pulumi config {fix}`")

    return Question(ask, ("load_balancer", name))


def _the_shared_listener(around: Surroundings, values: _Values) -> _Findings:
    # The engine has every number with a fraction.
    arn, priority = values["rule_listener"], int(values["rule_priority"])
    if around.listener(arn) is None:
        yield around.finding("rule.listener_arn", f"there is no listener {arn}", "ARN")
        return
    owner = around.foreign_rule(arn, priority)
    if owner is not None:
        yield around.finding(
            "rule.priority", f"a rule of {owner} has the priority {priority}", "NUMBER"
        )


def _the_flag(around: Surroundings, values: _Values) -> _Findings:
    name = values["flag"]
    owner = around.foreign_parameter(name)
    if owner is not None:
        yield Finding(
            "service.aws.flag_name",
            f"the parameter {name} is there and belongs to {owner}",
            f"`pulumi config set --path service.aws.flag_name {name}-2`",
        )


def _the_log_group(around: Surroundings, values: _Values) -> _Findings:
    name = values["log_group"]
    owner = around.foreign_log_group(name)
    if owner is not None:
        yield Finding(
            "service.aws.events_log_group",
            f"the log group {name} is there and belongs to {owner}",
            f"to write into it all the same: `pulumi config set --path "
            f"service.aws.events_log_group {name}`",
        )


def _the_users_log_group(around: Surroundings, values: _Values) -> _Findings:
    name = values["users_log_group"]
    if around.log_group(name) is None:
        yield Finding(
            "service.aws.events_log_group",
            f"there is no log group {name}",
            "make it, or `pulumi config rm --path service.aws.events_log_group` has one made",
        )


def _network(around: Surroundings, values: _Values) -> str:
    """The load balancer's: where another is written, that alone is what is wrong."""
    found = around.load_balancer(values["load_balancer"]) or {}
    return str(found.get("VpcId") or values["vpc"])


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


QUESTIONS = (
    Question(_the_load_balancer, ("load_balancer", "vpc")),
    Question(_its_security_group, ("load_balancer", "load_balancer_group")),
    Question(_the_subnets, ("load_balancer", "subnets", "vpc")),
    Question(_the_members_groups, ("load_balancer", "members_groups", "vpc")),
    *(_the_image(color) for color in Color),
    Question(_the_instance_type, ("instance_type",)),
    Question(_the_instance_profile, ("instance_profile",)),
    Question(_the_certificate, ("certificate",)),
    Question(_the_tls_policy, ("tls_policy",)),
    _a_port("production_port", "service.port", "set --path service.port PORT"),
    _a_port("test_port", "service.aws.test_port", "set --path service.aws.test_port PORT"),
    _a_port("redirect_port", "service.aws.redirect_http", "rm --path service.aws.redirect_http"),
    Question(_the_shared_listener, ("rule_listener", "rule_priority")),
    Question(_the_flag, ("flag",)),
    Question(_the_log_group, ("log_group",)),
    Question(_the_users_log_group, ("users_log_group",)),
)
"""In the order in which they are told."""
