"""What stands under `service.events`: who else is told of switches and refusals."""

from pydantic import Field

from bluegreen.events import WebhookFormat
from bluegreen.settings.base import SettingsModel

__all__ = ["EventsSettings", "WebhookSettings"]


class WebhookSettings(SettingsModel):
    """A request for every event."""

    url_env: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Name of the environment variable of `pulumi up` that holds the address; the address itself is
    a secret and is never shown."""

    format: WebhookFormat = WebhookFormat.JSON
    """`json`, the default: the event as it is; `slack`: a text."""

    timeout_seconds: float = Field(default=5, gt=0, le=10, allow_inf_nan=False)
    """Limit for all tries together; default 5. The update waits that long at most."""


class EventsSettings(SettingsModel):
    """Beside the platform's own audit trail; what cannot be delivered is a warning."""

    file: str | None = Field(default=None, min_length=1)
    """A file that gets each event as a line of JSON; below the project's folder when relative. Its
    folder has to be there."""

    webhook: WebhookSettings | None = None
    """An address that gets each event."""
