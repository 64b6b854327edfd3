"""What a service on AWS stands on, of the program's own words and the stack's config."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from bluegreen.errors import ConfigError
from bluegreen.settings.aws import AwsSettings, ListenerProtocol

__all__ = ["Ground", "ground_of"]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What was there before."""

    load_balancer_arn: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    certificate_arn: pulumi.Input[str] | None
    """None only without TLS."""


def ground_of(
    settings: AwsSettings,
    *,
    load_balancer_arn: pulumi.Input[str] | None = None,
    vpc_id: pulumi.Input[str] | None = None,
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
    certificate_arn: pulumi.Input[str] | None = None,
) -> Ground:
    """What the program gives, else what the config says.

    Raises:
        ConfigError: Something is in neither; one line for each.
    """
    load_balancer_arn = _first(load_balancer_arn, settings.load_balancer_arn)
    vpc_id = _first(vpc_id, settings.vpc_id)
    subnets = subnet_ids if subnet_ids is not None else list(settings.subnet_ids) or None
    certificate_arn = _first(certificate_arn, settings.certificate_arn)
    needs_certificate = settings.protocol is ListenerProtocol.HTTPS
    missing = [
        _missing(key, value)
        for key, is_there, value in (
            ("load_balancer_arn", load_balancer_arn is not None, "ARN"),
            ("vpc_id", vpc_id is not None, "vpc-ID"),
            ("subnet_ids", subnets is not None, "subnet-ID"),
            ("certificate_arn", certificate_arn is not None or not needs_certificate, "ARN"),
        )
        if not is_there
    ]
    if not settings.instance_security_group_ids and not settings.load_balancer_security_group_id:
        missing.append(_missing("load_balancer_security_group_id", "sg-ID", is_only_written=True))
    if missing or load_balancer_arn is None or vpc_id is None or subnets is None:
        raise ConfigError(missing)
    return Ground(
        load_balancer_arn=load_balancer_arn,
        vpc_id=vpc_id,
        subnet_ids=subnets,
        certificate_arn=certificate_arn if needs_certificate else None,
    )


def _first(given: pulumi.Input[str] | None, written: str | None) -> pulumi.Input[str] | None:
    return written if given is None else given


def _missing(key: str, value: str, *, is_only_written: bool = False) -> str:
    place = f"service.aws.{key}"
    path = f"'{place}[0]'" if key == "subnet_ids" else place
    reason = (
        "is missing, and so is service.aws.instance_security_group_ids: nobody knows whom the "
        "members are to let in"
        if is_only_written
        else "is missing"
    )
    program = "" if is_only_written else f", or give AsgServiceArgs({key}=…) in the program"
    return (
        f"{place}: {reason}; nothing was changed; "
        f"`pulumi config set --path {path} {value}`{program}"
    )
