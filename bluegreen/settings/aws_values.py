"""Single values of AWS: which texts AWS takes for what."""

import ipaddress
import json
import re
from collections.abc import Hashable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, StringConstraints

from bluegreen.settings.base import MisfitError

__all__ = [
    "AlarmName",
    "CertificateArn",
    "Cidr",
    "HostPattern",
    "ImageId",
    "ListenerArn",
    "LoadBalancerArn",
    "LogGroupName",
    "ParameterName",
    "PathPattern",
    "RetentionDays",
    "SecurityGroupId",
    "SubnetId",
    "Tags",
    "TopicArn",
    "UserData",
    "VpcId",
    "each_once",
]

_Value = TypeVar("_Value", bound=Hashable)

_LONGEST_SHOWN = 200
_OWN_TAGS = "bluegreen:"
_RESERVED_TAGS = ("aws:", _OWN_TAGS)
_MOST_TAGS = 45
"""Fifty, less the five that the library sets."""

_LONGEST_TAG = 128
_LONGEST_TAG_VALUE = 256
_TAG = re.compile(r"[\w\s+=.:/@-]*")
_OTHER_FORMATS = ("#cloud-config", "#include", "Content-Type:", "MIME-Version:", "<")
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_MOST_LEVELS = 15
_RESERVED_PARAMETERS = ("/aws", "/ssm")


def _quoted(text: str) -> str:
    """As in the stack's config, and not endless."""
    return json.dumps(text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…")


def _arn(service: str, what: str, example: str) -> AfterValidator:
    pattern = re.compile(rf"arn:aws[a-z-]*:{service}:[a-z0-9-]*:[0-9]{{12}}:{example}")

    def checked(text: str) -> str:
        if not pattern.fullmatch(text):
            msg = f"{_quoted(text)} is not the ARN of {what}"
            raise ValueError(msg)
        return text

    return AfterValidator(checked)


LoadBalancerArn = Annotated[
    str,
    _arn(
        "elasticloadbalancing",
        "an Application Load Balancer (arn:aws:elasticloadbalancing:REGION:ACCOUNT:"
        "loadbalancer/app/NAME/ID)",
        r"loadbalancer/app/[^/\s]+/[^/\s]+",
    ),
]
"""ARN of an Application Load Balancer."""

ListenerArn = Annotated[
    str,
    _arn(
        "elasticloadbalancing",
        "a listener of an Application Load Balancer (arn:aws:elasticloadbalancing:REGION:ACCOUNT:"
        "listener/app/NAME/ID/ID)",
        r"listener/app/[^/\s]+/[^/\s]+/[^/\s]+",
    ),
]
"""ARN of a listener of an Application Load Balancer."""

CertificateArn = Annotated[
    str,
    _arn(
        "(acm|iam)",
        "a certificate (arn:aws:acm:REGION:ACCOUNT:certificate/ID)",
        r"(certificate|server-certificate)/\S+",
    ),
]
"""ARN of a certificate of ACM, or of a server certificate of IAM."""

TopicArn = Annotated[
    str, _arn("sns", "an SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME)", r"[A-Za-z0-9_.-]+")
]
"""ARN of an SNS topic."""


def _network(text: str) -> str:
    """As AWS writes it: IPv6 in its short form."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        msg = f"{_quoted(text)} is not a range of addresses such as 192.0.2.0/24 or 2001:db8::/32"
        raise ValueError(msg) from None
    if "/" not in text:
        msg = f"{_quoted(text)} is an address and not a range of them, which would be {network}"
        raise ValueError(msg)
    if ipaddress.ip_interface(text).ip != network.network_address:
        msg = f"{_quoted(text)} is an address in the range {network}, and not the range"
        raise ValueError(msg)
    return str(network)


Cidr = Annotated[str, AfterValidator(_network)]
"""Range of IPv4 or IPv6, for example `10.0.0.0/8` or `2001:db8::/32`."""


def each_once(values: tuple[_Value, ...]) -> tuple[_Value, ...]:
    """Refuses a list in which something is twice; the second can be taken out."""
    for place, value in enumerate(values):
        if value in values[:place]:
            msg = f"{value} is there twice"
            raise MisfitError(msg, place, value=None)
    return values


def _only_legal_tags(tags: dict[str, str]) -> dict[str, str]:
    for name, value in tags.items():
        # AWS reserves it in any spelling.
        if name.lower().startswith(_RESERVED_TAGS):
            msg = f"tags that begin with {name.partition(':')[0]}: are not yours to set"
            raise MisfitError(msg, name, value=None)
        if not name or len(name) > _LONGEST_TAG or not _TAG.fullmatch(name):
            msg = (
                f"a tag's name has 1 to {_LONGEST_TAG} letters, digits, blanks or any of "
                f"_ . : / = + - @, and {_quoted(name)} has not"
            )
            raise MisfitError(msg, name, value=None)
        if len(value) > _LONGEST_TAG_VALUE or not _TAG.fullmatch(value):
            msg = (
                f"a tag's value has at most {_LONGEST_TAG_VALUE} letters, digits, blanks or any of "
                f"_ . : / = + - @, and that of {name} has not"
            )
            raise MisfitError(msg, name)
    if len(tags) > _MOST_TAGS:
        msg = f"{len(tags)} tags are more than {_MOST_TAGS}, which AWS has place for beside ours"
        raise MisfitError(msg, list(tags)[-1], value=None)
    return tags


Tags = Annotated[dict[str, str], AfterValidator(_only_legal_tags)]


def _a_script(text: str) -> str:
    if text.startswith(_OTHER_FORMATS):
        msg = (
            "user_data has to be a shell script, because the variables of a color are put in front "
            "of it; start it with #!/bin/bash, or with the first command"
        )
        raise ValueError(msg)
    return text


UserData = Annotated[str, AfterValidator(_a_script)]


def _a_parameter(name: str) -> str:
    if name.lower().startswith(_RESERVED_PARAMETERS):
        msg = f"names that begin with {name[:4]} are not yours to give"
        raise ValueError(msg)
    if name.count("/") > _MOST_LEVELS:
        msg = f"it has {name.count('/')} levels, and a parameter has at most {_MOST_LEVELS}"
        raise ValueError(msg)
    return name


ParameterName = Annotated[
    str,
    Field(pattern=r"^(/[A-Za-z0-9_.-]+)+$", max_length=1011),
    AfterValidator(_a_parameter),
]
"""Name of an SSM parameter, beginning with a slash."""

LogGroupName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_./#-]{1,512}$")]


def _days(number: int) -> int:
    if number not in _RETENTION_DAYS:
        known = ", ".join(str(each) for each in _RETENTION_DAYS)
        msg = f"{number} is not a number of days that CloudWatch Logs knows ({known})"
        raise ValueError(msg)
    return number


RetentionDays = Annotated[int, AfterValidator(_days)]


def _an_alarm(name: str) -> str:
    if "{" in name.replace("{color}", ""):
        msg = f"{_quoted(name)} has another word in braces than {{color}}"
        raise ValueError(msg)
    return name


AlarmName = Annotated[
    str, StringConstraints(min_length=1, max_length=255), AfterValidator(_an_alarm)
]
"""Name of a CloudWatch alarm; `{color}` is filled in."""

VpcId = Annotated[str, StringConstraints(pattern=r"^vpc-[0-9a-z]+$")]
SubnetId = Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-z]+$")]
SecurityGroupId = Annotated[str, StringConstraints(pattern=r"^sg-[0-9a-z]+$")]
ImageId = Annotated[str, StringConstraints(pattern=r"^ami-[0-9a-z]+$")]
HostPattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.*?-]+$", max_length=128)]
PathPattern = Annotated[
    str, StringConstraints(pattern=r"^/[A-Za-z0-9_.$/~\"'@:+&*?-]*$", max_length=128)
]
