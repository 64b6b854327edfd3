"""The active flag: an SSM parameter that tells jobs and other programs which color is active."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
import pulumi_aws as aws

from bluegreen.aws.aws_session import AwsSession, NotFoundError
from bluegreen.aws.names import AwsNames
from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError

__all__ = ["LiveFlag", "active_flag", "flag_color_of"]

_SAME_DEPLOYMENT = timedelta(minutes=15)
"""A flag that is made later than that after the service was is one that somebody had removed."""


def active_flag(
    resource_name: str, names: AwsNames, color: Color, opts: pulumi.ResourceOptions
) -> aws.ssm.Parameter:
    """Says which color is active. Its name is what jobs and scripts know, so it is fixed."""
    return aws.ssm.Parameter(
        resource_name,
        name=names.flag,
        type="String",
        # Not as `value`, which every preview would hide.
        insecure_value=str(color),
        description=f"active color of {names.service}; written after traffic has moved",
        tags=names.service_tags(),
        # Under another name: who reads it finds one at any time.
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(delete_before_replace=False)
        ),
    )


def flag_color_of(properties: Mapping[str, Any]) -> Color | None:
    """Reads the properties of a flag's resource."""
    return Color.read(properties.get("insecureValue") or properties.get("value"))


class LiveFlag:
    """The parameter as it is; each method raises `DataPlaneError` without a usable answer."""

    def __init__(self, aws_session: AwsSession, names: AwsNames) -> None:
        self._aws = aws_session
        self._names = names

    def color(self) -> Color | None:
        """The color that it names now; None where there is no readable one."""
        try:
            answer = self._aws.call("ssm", "get_parameter", Name=self._names.flag)
        except NotFoundError:
            return None
        return Color.read(answer["Parameter"].get("Value"))

    def last_switch(self, made: Callable[[], datetime | None]) -> datetime | None:
        """When it last went from one color to the other; None when it never did.

        Args:
            made: Tells when the service was made.

        Raises:
            DataPlaneError: The flag names no color.
        """
        versions = self._versions()
        if not versions:
            return None
        if Color.read(versions[-1].get("Value")) is None:
            msg = (
                f"the parameter {self._names.flag} names no color; `pulumi up --refresh` writes it "
                "again"
            )
            raise DataPlaneError(msg)
        return _last_change(versions) or _made_again(versions[0], made)

    def _versions(self) -> list[Mapping[str, Any]]:
        """Oldest first; Parameter Store keeps the last hundred."""
        try:
            found = self._aws.pages(
                "ssm", "get_parameter_history", "Parameters", Name=self._names.flag
            )
        except NotFoundError:
            return []
        return sorted(found, key=lambda each: int(each["Version"]))


def _last_change(versions: list[Mapping[str, Any]]) -> datetime | None:
    """Not the last write: a description that is written again changes no color."""
    for before, after in zip(reversed(versions[:-1]), reversed(versions), strict=False):
        if before.get("Value") != after.get("Value"):
            return _moment(after)
    return None


def _made_again(first: Mapping[str, Any], made: Callable[[], datetime | None]) -> datetime | None:
    if int(first["Version"]) > 1:
        # Older versions are forgotten, and none of those that are left changed the color.
        return _moment(first)
    since, service = _moment(first), made()
    return None if service is None or since - service <= _SAME_DEPLOYMENT else since


def _moment(version: Mapping[str, Any]) -> datetime:
    moment: datetime = version["LastModifiedDate"]
    return moment.astimezone(UTC)
