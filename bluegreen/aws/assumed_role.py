"""Roles that the provider takes on before it writes, and so the hooks before they ask."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["AssumedRole", "in_roles", "role_of"]


@dataclass(frozen=True, kw_only=True)
class AssumedRole:
    """One role, in the words of the provider's `assumeRole`."""

    role_arn: str
    """ARN of the role."""

    session_name: str | None = None
    """What CloudTrail calls it; default `bluegreen`."""

    external_id: str | None = None
    """What the owner of the role asks for."""

    source_identity: str | None = None
    """Who is behind it."""

    policy: str | None = field(default=None, repr=False)
    """Narrows what it may do: a policy as JSON."""

    policy_arns: tuple[str, ...] = ()
    """The same, by ARN."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of the session."""

    transitive_tag_keys: tuple[str, ...] = ()
    """Those that the next role gets, too."""


def role_of(written: Mapping[str, Any]) -> AssumedRole | None:
    """Reads the provider's `assumeRole`; None where it names no role.

    Its duration is left aside: what runs out is asked for again.
    """
    arn = written.get("roleArn")
    if not arn:
        return None
    return AssumedRole(
        role_arn=str(arn),
        session_name=written.get("sessionName"),
        external_id=written.get("externalId"),
        source_identity=written.get("sourceIdentity"),
        policy=written.get("policy"),
        policy_arns=tuple(written.get("policyArns") or ()),
        tags=dict(written.get("tags") or {}),
        transitive_tag_keys=tuple(written.get("transitiveTagKeys") or ()),
    )


def in_roles(session: Any, roles: Sequence[AssumedRole], config: Any) -> Any:  # noqa: ANN401
    """A boto3 session that has taken on one role after the other; it asks when it is first used.

    Args:
        session: The boto3 session to begin with.
        roles: In the order in which they are taken on.
        config: Time limits and retries of the questions for them, a `botocore.config.Config`.
    """
    for role in roles:
        session = _in_role(session, role, config)
    return session


def _in_role(session: Any, role: AssumedRole, config: Any) -> Any:  # noqa: ANN401
    import boto3  # noqa: PLC0415
    from botocore import credentials  # noqa: PLC0415
    from botocore.session import Session  # noqa: PLC0415

    class Assumed(credentials.CredentialProvider):  # type: ignore[misc]  # it has no types
        METHOD = CANONICAL_NAME = "assume-role"

        def load(self) -> Any:  # noqa: ANN401
            source = session.get_credentials()
            if source is None:
                return None
            fetcher = credentials.AssumeRoleCredentialFetcher(
                client_creator=functools.partial(session.client, config=config),
                source_credentials=source,
                role_arn=role.role_arn,
                extra_args=_arguments(role),
            )
            # Asks again when they run out, in the middle of a long update.
            return credentials.DeferredRefreshableCredentials(
                method=self.METHOD, refresh_using=fetcher.fetch_credentials
            )

    inner = Session()
    inner.register_component("credential_provider", credentials.CredentialResolver([Assumed()]))
    return boto3.session.Session(botocore_session=inner, region_name=session.region_name)


def _arguments(role: AssumedRole) -> dict[str, Any]:
    found = {
        "RoleSessionName": role.session_name or "bluegreen",
        "ExternalId": role.external_id,
        "SourceIdentity": role.source_identity,
        "Policy": role.policy,
        "PolicyArns": [{"arn": arn} for arn in role.policy_arns],
        "Tags": [{"Key": key, "Value": value} for key, value in role.tags.items()],
        "TransitiveTagKeys": list(role.transitive_tag_keys),
    }
    return {key: value for key, value in found.items() if value}
