"""What was asked of the API: read from requests as boto3 and the providers send them."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

__all__ = ["Asked", "Call", "asked_in", "error_code"]

_SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_RPC_PATH = re.compile(r"^/service/[^/]+/operation/(?P<action>\w+)$")
_PERMISSION_PREFIXES = {"monitoring": "cloudwatch", "email": "ses"}
_READS = ("Describe", "Get", "List", "Search", "Lookup")


@dataclass(frozen=True)
class Asked:
    """One request, as far as it says what is wanted."""

    service: str
    """By the name that requests are signed with: `elasticloadbalancing`, `autoscaling`, `ec2`."""

    action: str
    """`ModifyListener`; for the few services without names of actions, method and path."""

    region: str
    protocol: str
    """`query`, `ec2` or `json`: how errors are written."""

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing."""
        return _is_read(self.action)


@dataclass(frozen=True)
class Call:
    """One call, in the order in which they were answered."""

    service: str
    action: str
    error: str | None
    """The code of the error that was answered; None if it was done."""

    at: float = field(default_factory=time.monotonic)
    """When it was answered, by this machine's steady clock."""

    user_agent: str = ""
    """What the caller says that it is; the provider and the library's hooks differ in it."""

    @property
    def permission(self) -> str:
        """As it stands in an IAM policy."""
        return f"{_PERMISSION_PREFIXES.get(self.service, self.service)}:{self.action}"

    @property
    def is_read(self) -> bool:
        """Whether it changed nothing."""
        return _is_read(self.action)


def _is_read(action: str) -> bool:
    return action.startswith((*_READS, "GET ", "HEAD "))


def asked_in(environ: Mapping[str, Any], body: bytes) -> Asked | None:
    """Reads a request; None if it is not one to AWS."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    service, region = scope["service"], scope["region"]
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return Asked(service, target.rpartition(".")[2], region, "json")
    path = environ["PATH_INFO"]
    if rpc := _RPC_PATH.match(path):
        return Asked(service, rpc["action"], region, "json")
    if action := parse_qs(body.decode("latin-1")).get("Action"):
        return Asked(service, action[0], region, "ec2" if service == "ec2" else "query")
    return Asked(service, f"{environ['REQUEST_METHOD']} {path}", region, "json")


def error_code(status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """The code of an error's answer, `500` and the like where it says none."""
    if status < 400:
        return None
    if code := re.search(rb"<Code>([^<]+)</Code>", body):
        return code[1].decode()
    if kind := headers.get("x-amzn-errortype"):
        return kind
    try:
        return str(json.loads(body)["__type"]).rpartition("#")[2]
    except (ValueError, KeyError, TypeError):
        return str(status)
