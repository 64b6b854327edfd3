"""Asks AWS: every question of this platform goes by here.

It has retries and time limits of its own: the client's defaults would let one question hang for
minutes, in the middle of a switch.
"""

import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.aws.assumed_role import AssumedRole, in_roles
from bluegreen.errors import DataPlaneError
from bluegreen.gates.wording import one_line

__all__ = ["EXPIRED", "THROTTLED", "AwsAccess", "AwsSession", "NoAnswerError", "NotFoundError"]

EXPIRED = ("ExpiredToken", "TokenRefreshRequired", "RequestExpired")
"""Codes of credentials that were good once."""

THROTTLED = (
    "Throttl",
    "RequestLimitExceeded",
    "TooManyRequests",
    "Rate exceeded",
)
"""Words for more requests than AWS answers in an account at the same time."""

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
_ATTEMPTS = 4
_LONGEST_REASON = 400
_NO_REGION = "there is no region; `pulumi config set aws:region REGION`, or set AWS_REGION"
_DENIED = ("AccessDenied", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized")
_BAD_CREDENTIALS = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "AuthFailure",
)
_NOT_THERE = re.compile(r"NotFound|NoSuchEntity|ID\.(Malformed|Unavailable)")
_PERMISSIONS = {"elbv2": "elasticloadbalancing"}
"""How a policy calls a service, where that is not the client's own name."""


class NotFoundError(DataPlaneError):
    """What was asked for is not there."""


class NoAnswerError(DataPlaneError):
    """AWS could not be asked at all."""


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """Which account and region, in the words of the provider's own configuration."""

    region: str | None = None
    """For example `eu-west-1`; None for `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile's."""

    profile: str | None = None
    """A profile of the shared configuration; None for the normal chain of credentials."""

    access_key: str | None = None
    """Where the provider's configuration has a key itself."""

    secret_key: str | None = None
    token: str | None = None

    roles: tuple[AssumedRole, ...] = ()
    """Taken on one after the other before anything is asked."""

    def __repr__(self) -> str:
        roles = [each.role_arn for each in self.roles]
        return f"AwsAccess(region={self.region!r}, profile={self.profile!r}, roles={roles})"


class AwsSession:
    """Clients of one account and region, made when they are first asked.

    Every method raises `DataPlaneError`, in one line that names what was asked, when there is no
    usable answer. `AWS_ENDPOINT_URL` leads all clients somewhere else.
    """

    def __init__(self, access: AwsAccess) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        """The one that is asked, for example `eu-west-1`; raises `NoAnswerError` without any."""
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        try:
            with self._lock:
                region = self._asking().region_name
        except BotoCoreError as error:
            raise NoAnswerError(one_line(str(error), _LONGEST_REASON)) from error
        if not region:
            raise NoAnswerError(_NO_REGION)
        return str(region)

    @property
    def known_region(self) -> str | None:
        """Which region is asked; None where only the profile says it."""
        # The provider reads the first of these variables, and boto3 only the second.
        variables = (os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
        return self._access.region or next(filter(None, variables), None)

    def call(self, service: str, operation: str, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """One answer of an operation, for example `call("ssm", "get_parameter", Name="/a")`."""
        answer: Mapping[str, Any] = self._asked(
            service, operation, lambda client: getattr(client, operation)(**arguments)
        )
        return answer

    def pages(
        self,
        service: str,
        operation: str,
        key: str,
        **arguments: Any,  # noqa: ANN401
    ) -> list[Mapping[str, Any]]:
        """All of a list that comes page by page."""

        def collect(client: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401
            pages = client.get_paginator(operation).paginate(**arguments)
            return [each for page in pages for each in page.get(key) or ()]

        found: list[Mapping[str, Any]] = self._asked(service, operation, collect)
        return found

    def _asked(self, service: str, operation: str, question: Any) -> Any:  # noqa: ANN401
        # Takes a third of a second, which a `pulumi up` that asks nobody need not wait for.
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        what = f"{_PERMISSIONS.get(service, service)}:{_action(operation)}"
        try:
            return question(self._client(service))
        except ClientError as error:
            if error.operation_name == "AssumeRole":
                what = "sts:AssumeRole"
            raise _refused(what, error.response.get("Error") or {}) from error
        except BotoCoreError as error:
            msg = f"{what} has no answer: {one_line(_without_secrets(error), _LONGEST_REASON)}"
            raise NoAnswerError(msg) from error
        except ValueError as error:
            # An endpoint or a region that is none.
            msg = f"{what} cannot be asked: {one_line(str(error), _LONGEST_REASON)}"
            raise NoAnswerError(msg) from error

    def _client(self, service: str) -> Any:  # noqa: ANN401
        # Clients may be used by many threads, but not be made by them at the same time.
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._made(service)
            return self._clients[service]

    def _made(self, service: str) -> Any:  # noqa: ANN401
        return self._asking().client(service, config=_config())

    def _asking(self) -> Any:  # noqa: ANN401
        import boto3  # noqa: PLC0415

        access = self._access
        if self._session is None:
            own = boto3.session.Session(
                region_name=self.known_region,
                profile_name=access.profile,
                aws_access_key_id=access.access_key,
                aws_secret_access_key=access.secret_key,
                aws_session_token=access.token,
            )
            self._session = in_roles(own, access.roles, _config())
        return self._session


def _config() -> Any:  # noqa: ANN401
    from botocore.config import Config  # noqa: PLC0415

    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_ANSWER_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        user_agent_extra="bluegreen",
    )


def _action(operation: str) -> str:
    """`describe_listeners` as a policy has it."""
    words = "".join(word.capitalize() for word in operation.split("_"))
    return words.replace("Ssl", "SSL")


def _refused(what: str, error: Mapping[str, Any]) -> DataPlaneError:
    code = str(error.get("Code") or "Unknown")
    said = one_line(str(error.get("Message") or ""), _LONGEST_REASON)
    if any(each in code for each in _DENIED):
        return DataPlaneError(f"not allowed to ask: the policy lacks {what} ({code}: {said})")
    if any(each in code for each in EXPIRED):
        again = "log in again, or get a new token"
        return DataPlaneError(f"{what} is refused: the credentials have expired ({code}); {again}")
    if any(each in code for each in _BAD_CREDENTIALS):
        return DataPlaneError(f"{what} is refused: the credentials are not valid ({code})")
    msg = f"{what} answers {code}: {said}"
    if any(each in f"{code} {said}" for each in THROTTLED):
        msg += f", {_ATTEMPTS} times in a row; AWS has too many requests of this account: wait"
    return NotFoundError(msg) if _NOT_THERE.search(code) else DataPlaneError(msg)


def _without_secrets(error: Exception) -> str:
    name = type(error).__name__
    if name in {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}:
        return "there are no AWS credentials; set a profile, or AWS_ACCESS_KEY_ID and its secret"
    if name == "NoRegionError":
        return _NO_REGION
    return str(error)
