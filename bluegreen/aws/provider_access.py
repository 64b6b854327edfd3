"""Which account and region the provider writes to, by its own configuration."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bluegreen.aws.assumed_role import AssumedRole, role_of
from bluegreen.aws.aws_session import AwsAccess
from bluegreen.errors import ConfigError

__all__ = ["access_of"]

_NOT_FOLLOWED = {
    "assumeRoleWithWebIdentity": (
        "set AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, which both read, or use a profile"
    ),
    "endpoints": "set AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2 and the like",
    "sharedConfigFiles": "set AWS_CONFIG_FILE",
    "sharedCredentialsFiles": "set AWS_SHARED_CREDENTIALS_FILE",
}
"""What would lead the provider somewhere else than the gates, and what leads both."""


class _Source(Protocol):
    """A `pulumi.Config("aws")`."""

    def get(self, key: str) -> str | None: ...


def access_of(
    provider: _Source,
    *,
    region: str | None = None,
    profile: str | None = None,
    roles: Sequence[AssumedRole] | None = None,
) -> AwsAccess:
    """As the provider finds it; what the program says goes first.

    Raises:
        ConfigError: The provider would go where the gates cannot follow; one line for each key.
    """
    problems = [
        f"aws:{key}: the provider would follow it, and the gates cannot, which have to ask where "
        f"it writes; nothing was changed; {way} instead, and `pulumi config rm aws:{key}`"
        for key, way in _NOT_FOLLOWED.items()
        if _is_written(provider.get(key))
    ]
    if problems:
        raise ConfigError(problems)
    return AwsAccess(
        region=region or provider.get("region"),
        profile=profile or provider.get("profile"),
        access_key=provider.get("accessKey"),
        secret_key=provider.get("secretKey"),
        token=provider.get("token"),
        roles=tuple(_roles(provider) if roles is None else roles),
    )


def _is_written(text: str | None) -> bool:
    return bool(text) and _parsed(text or "") not in ({}, [], None)


def _roles(provider: _Source) -> list[AssumedRole]:
    """One in the provider's version 6, a list of them in its version 7."""
    one, many = provider.get("assumeRole"), provider.get("assumeRoles")
    written = [_parsed(one)] if one else []
    listed = _parsed(many) if many else []
    written += listed if isinstance(listed, list) else [listed]
    return [role for each in written if (role := _role(each)) is not None]


def _role(written: object) -> AssumedRole | None:
    if isinstance(written, Mapping):
        return role_of(written)
    problem = (
        "aws:assumeRole: it is no mapping with a roleArn; nothing was changed; "
        "`pulumi config set --path aws:assumeRole.roleArn ARN`"
    )
    raise ConfigError([problem])


def _parsed(text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text)
    except ValueError:
        return text
