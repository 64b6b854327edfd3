"""What every router of this platform is given."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from bluegreen.kubernetes.names import ObjectNames
from bluegreen.settings.service import ServiceSettings
from bluegreen.traffic import Route

__all__ = ["TAKE_OVER", "KubernetesRouterArgs"]

TAKE_OVER = {"pulumi.com/patchForce": "true"}
"""Annotation: a color set by `kubectl` in an emergency can be moved on from. The gate has seen it
before the write, and refuses what must not be overwritten."""


@dataclass(frozen=True, kw_only=True)
class KubernetesRouterArgs:
    """Inputs of `ServiceRouter` and `HttpRouteRouter`."""

    settings: ServiceSettings
    """The service whose traffic it is."""

    names: ObjectNames
    """What the objects are called, and their namespace."""

    route: Route
    """Who is to be active, and who is to get which share; a Service cannot split."""

    hooks: pulumi.ResourceHookBinding | None = None
    """Gates, from `ServiceHooks.router()`; without them the write is not judged."""

    after: Sequence[pulumi.Resource] = ()
    """What must be ready before the write: the members of every color with a share."""
