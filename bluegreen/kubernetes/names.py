"""What the objects of one service are called, and how its members are told apart."""

from dataclasses import dataclass
from typing import Any

from bluegreen.colors import Color
from bluegreen.naming import child_name

__all__ = [
    "ACTIVE",
    "APP_LABEL",
    "AUTOSCALED",
    "COLOR_LABEL",
    "FINGERPRINT",
    "RELEASE",
    "SERVICE_LABEL",
    "SKIP_AWAIT",
    "Manifest",
    "ObjectNames",
]

Manifest = Any
"""A part of an object as YAML has it; the SDK's own types know only the names in snake case."""

APP_LABEL = "app"
COLOR_LABEL = "color"
SERVICE_LABEL = "bluegreen.dev/service"
RELEASE = "bluegreen.dev/release"
"""Annotation: the release that a Deployment and its pods hold. A label may not have a `+`."""

ACTIVE = "bluegreen.dev/active-color"
"""Annotation: the active color of an object whose shares do not tell it."""

AUTOSCALED = "bluegreen.dev/autoscaled"
"""Annotation: an autoscaler owns the number of members, and may make it from so many to so many."""

FINGERPRINT = "bluegreen.dev/fingerprint"
"""Annotation: changes with everything that makes members other members."""

SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
"""Annotation: our own hooks look at what the provider would wait for, and say why it does not come.
The provider's wait for a Service takes 10 s and notices nothing (measured, provider 4.32)."""


@dataclass(frozen=True, slots=True)
class ObjectNames:
    """The names of one service's objects in its namespace."""

    service: str
    namespace: str

    @property
    def production(self) -> str:
        """The Service or HTTPRoute that clients use."""
        return self.service

    @property
    def test(self) -> str:
        """The Service that reaches the idle color."""
        return child_name(self.service, "test")

    @property
    def flag(self) -> str:
        """The ConfigMap that says which color is active."""
        return child_name(self.service, "active")

    def of_color(self, color: Color) -> str:
        """The Deployment, the Service, the disruption budget and the autoscaler of one color."""
        return child_name(self.service, color)

    def app_labels(self) -> dict[str, str]:
        """What all members have."""
        return {APP_LABEL: self.service}

    def color_labels(self, color: Color) -> dict[str, str]:
        """What the members of one color have, and nobody else: the selector, for ever."""
        return {APP_LABEL: self.service, COLOR_LABEL: str(color)}

    def core(self, kind: str, name: str = "") -> str:
        """The API path of core objects."""
        return self._path("/api/v1", kind, name)

    def group(self, group: str, kind: str, name: str = "") -> str:
        """The API path of objects of a group with its version, for example `apps/v1`."""
        return self._path(f"/apis/{group}", kind, name)

    def _path(self, root: str, kind: str, name: str) -> str:
        path = f"{root}/namespaces/{self.namespace}/{kind}"
        return f"{path}/{name}" if name else path
