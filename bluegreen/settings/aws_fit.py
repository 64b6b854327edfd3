"""What the values of a config contradict each other in on AWS, by what AWS itself would refuse."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping

from bluegreen.colors import Color
from bluegreen.settings.aws import AwsSettings, ListenerProtocol
from bluegreen.settings.color import ColorSettings
from bluegreen.settings.health_check import HealthCheckSettings
from bluegreen.settings.service import ServiceSettings

__all__ = ["aws_contradictions"]

_Contradictions = Iterator[tuple[str, str]]
"""What is wrong, and what puts it right."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IMAGE = re.compile(r"ami-[0-9a-z]+")
_HTTPS_PORT = 443
_INTERVALS = (5, 300)
_TIMEOUTS = (2, 120)
_FEWEST_CHECKS = 2
_LONGEST_CHECK_PATH = 1024


def aws_contradictions(
    service: ServiceSettings, colors: Mapping[Color, ColorSettings | None]
) -> _Contradictions:
    """Problems of a service on AWS, by the keys that were written.

    Args:
        service: What is the same for both colors.
        colors: What is said about each; None where nothing is, or nothing that could be read.
    """
    yield from _port_of_another_protocol(service)
    yield from _another_region_or_account(service.aws)
    yield from _checks_that_no_target_group_makes(service.health_check)
    yield from _unusable_variables("service.aws", service.aws.env)
    for color, settings in colors.items():
        if settings is not None:
            yield from _color_problems(service, color, settings)


def _port_of_another_protocol(service: ServiceSettings) -> _Contradictions:
    if service.aws.protocol is ListenerProtocol.HTTP and service.port == _HTTPS_PORT:
        yield (
            f"service.port: {_HTTPS_PORT} is the port of HTTPS, and service.aws.protocol is HTTP",
            "`pulumi config set --path service.port 80`",
        )
    if service.aws.rule is None and service.aws.test_port == service.port:
        yield (
            f"service.aws.test_port: {service.port} is the port of production",
            "`pulumi config set --path service.aws.test_port 8443`",
        )
    if service.aws.redirect_http and 80 in (service.port, service.aws.test_port):  # noqa: PLR2004
        yield (
            "service.aws.redirect_http: port 80 is taken by production or the test listener",
            "`pulumi config rm --path service.aws.redirect_http`",
        )


def _another_region_or_account(aws: AwsSettings) -> _Contradictions:
    """A load balancer uses what is in its own region only, and alarms tell topics of theirs."""
    if aws.load_balancer_arn is None:
        return
    where = _region_of(aws.load_balancer_arn)
    named = {
        "certificate_arn": aws.certificate_arn if aws.protocol is ListenerProtocol.HTTPS else None,
        **{
            f"alarms.topic_arns[{place}]": arn
            for place, arn in enumerate(aws.alarms.topic_arns if aws.alarms else ())
        },
    }
    for key, arn in named.items():
        # What is of IAM is in no region.
        if arn is not None and _region_of(arn) not in ("", where):
            path = shlex.quote(f"service.aws.{key}")
            yield (
                f"service.aws.{key}: it is in {_region_of(arn)}, and the load balancer is in "
                f"{where}, which uses its own region's only",
                f"`pulumi config set --path {path} ARN`",
            )


def _region_of(arn: str) -> str:
    return arn.split(":")[3]


def _checks_that_no_target_group_makes(check: HealthCheckSettings) -> _Contradictions:
    for key, value, (least, most) in (
        ("interval_seconds", check.interval_seconds, _INTERVALS),
        ("timeout_seconds", check.timeout_seconds, _TIMEOUTS),
    ):
        if value != int(value) or not least <= value <= most:
            yield (
                f"service.health_check.{key}: {value:g} is not a whole number of {least} to {most},"
                " which is what a target group takes",
                f"`pulumi config set --path service.health_check.{key} {least}`",
            )
    if check.timeout_seconds == check.interval_seconds:
        yield (
            f"service.health_check.timeout_seconds: {check.timeout_seconds:g} is not less than "
            "interval_seconds, which is what a target group takes",
            "`pulumi config set --path service.health_check.timeout_seconds "
            f"{max(_TIMEOUTS[0], int(check.timeout_seconds) - 1)}`",
        )
    if len(check.path) > _LONGEST_CHECK_PATH:
        yield (
            f"service.health_check.path: it has {len(check.path)} characters, and a target group "
            f"takes {_LONGEST_CHECK_PATH}",
            "`pulumi config set --path service.health_check.path PATH`",
        )
    for key, count in (
        ("healthy_threshold", check.healthy_threshold),
        ("unhealthy_threshold", check.unhealthy_threshold),
    ):
        if count < _FEWEST_CHECKS:
            yield (
                f"service.health_check.{key}: {count} is not at least {_FEWEST_CHECKS}, which is "
                "what a target group takes",
                f"`pulumi config set --path service.health_check.{key} {_FEWEST_CHECKS}`",
            )


def _color_problems(
    service: ServiceSettings, color: Color, settings: ColorSettings
) -> _Contradictions:
    aws = service.aws
    if settings.image is None and aws.image_id is None:
        yield (
            f"{color}.image: is missing, and so is service.aws.image_id",
            "`pulumi config set --path service.aws.image_id ami-ID`",
        )
    if settings.image is not None and not _IMAGE.fullmatch(settings.image):
        yield (
            f"{color}.image: {json.dumps(settings.image)} is not the id of an AMI",
            f"`pulumi config set --path {color}.image ami-ID`",
        )
    if aws.max_size is not None and settings.replicas > aws.max_size:
        yield (
            f"{color}.replicas: {settings.replicas} members are more than service.aws.max_size "
            f"{aws.max_size}",
            f"`pulumi config set --path service.aws.max_size {settings.replicas}`",
        )
    yield from _unusable_variables(str(color), settings.env)


def _unusable_variables(place: str, variables: Mapping[str, str]) -> _Contradictions:
    """A shell exports them."""
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            path = f"{place}.env[{json.dumps(name)}]"
            yield (
                f"{path}: is not a name of a variable of a shell ({_VARIABLE.pattern})",
                f"`pulumi config rm --path {shlex.quote(path)}`",
            )
