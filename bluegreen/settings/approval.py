"""Somebody's approval of one color and release, as it stands in a stack's config."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

from pydantic import Field

from bluegreen.colors import Color
from bluegreen.settings.base import SettingsModel
from bluegreen.settings.release import Release

__all__ = ["ApprovalSettings", "approve"]

_CLOCKS_DIFFER = timedelta(minutes=5)


class ApprovalSettings(SettingsModel):
    """Written by `bluegreen approve`; goes stale by itself with the next release.

    It says who approved what, and proves that nobody has changed or copied that since. It does not
    prove who somebody is: whoever may write the stack's config may approve.
    """

    color: Color
    """The color that may get traffic."""

    release: Release
    """The release that it holds then."""

    by: str = Field(min_length=1, max_length=200)
    """Who approved it."""

    at: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    """When, UTC."""

    token: str = Field(pattern=r"^[0-9a-f]{32}$")
    """Binds the other four to each other and to the service."""

    def problem(
        self, service: str, color: Color, release: str, *, hours: float, now: datetime
    ) -> str:
        """Why this does not approve a color and its release; empty when it does."""
        if (self.color, self.release) != (color, release):
            return f"what is approved is {self.color} {self.release}"
        if self.token != _token(service, self.color, self.release, self.by, self.at):
            return "the approval was changed after it was given, or is one of another service"
        given = _moment(self.at)
        if given is None or given > now + _CLOCKS_DIFFER:
            return f"the approval is dated {self.at}, which has not come yet"
        if now - given > timedelta(hours=hours):
            return f"the approval of {self.at} is older than {hours:g} hours"
        return ""


def approve(
    service: str, color: Color, release: str, *, by: str, now: datetime
) -> ApprovalSettings:
    """An approval for the key `approval` of the stack's config.

    Args:
        service: Name of the service.
        color: The color that may get traffic.
        release: The release that it holds then.
        by: Who approves.
        now: The present moment, with its zone.
    """
    at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    token = _token(service, color, release, by, at)
    return ApprovalSettings(color=color, release=release, by=by, at=at, token=token)


def _token(service: str, color: Color, release: str, by: str, at: str) -> str:
    text = json.dumps([service, color.value, release, by, at])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _moment(at: str) -> datetime | None:
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        return None
