"""The active flag: a ConfigMap that says which color is active, for jobs and other programs.

The provider replaces a ConfigMap whose data changes: it would be gone for a moment, and with it the
time of the switch. So its data is written by a hook of the flag, once traffic has been seen to
follow and before the provider writes what the state keeps, an annotation. Killed in between, the
annotation is still to be written, and the next update comes by both again.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.gate_hooks import HookCall
from bluegreen.kubernetes.cluster import Cluster
from bluegreen.kubernetes.names import ACTIVE, SERVICE_LABEL, Manifest, ObjectNames

__all__ = ["FlagData", "active_flag", "flag_color_of", "flagged_color", "last_switch"]

_COLOR = "color"
_MANAGER = "bluegreen"
_SAME_DEPLOYMENT = timedelta(minutes=15)
"""A flag that is made later than that after its router was is one that somebody had removed."""


def active_flag(
    resource_name: str, names: ObjectNames, color: Color, opts: pulumi.ResourceOptions
) -> ConfigMap:
    """Says which color is active; needs `FlagData` among its hooks."""
    metadata: Manifest = {
        "name": names.flag,
        "namespace": names.namespace,
        "labels": {SERVICE_LABEL: names.service},
        "annotations": {ACTIVE: str(color)},
    }
    return ConfigMap(resource_name, metadata=metadata, opts=opts)


class FlagData:
    """Writes what jobs read, before the flag's own resource is created or updated."""

    def __init__(self, cluster: Cluster, names: ObjectNames) -> None:
        self._cluster = cluster
        self._names = names

    def __call__(self, call: HookCall) -> None:
        """Writes the color; raises `DataPlaneError` when the API server does not take it."""
        color = flag_color_of(call.new)
        if color is None or call.is_preview:
            return
        names = self._names
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": names.flag, "namespace": names.namespace},
            # Nothing but the color, so that its own time of change is the time of the switch.
            "data": {_COLOR: str(color)},
        }
        path = names.core("configmaps", names.flag)
        self._cluster.apply(path, body, manager=_MANAGER, force=True)


def flag_color_of(properties: Mapping[str, Any]) -> Color | None:
    """Reads the properties of a flag's resource."""
    annotations = (properties.get("metadata") or {}).get("annotations") or {}
    return _color(annotations.get(ACTIVE))


def flagged_color(cluster: Cluster, names: ObjectNames) -> Color | None:
    """The color that the flag names now; None where there is no readable one."""
    flag = cluster.get(names.core("configmaps", names.flag)) or {}
    return _color((flag.get("data") or {}).get(_COLOR))


def _color(text: object) -> Color | None:
    return Color(str(text)) if text in set(Color) else None


def last_switch(
    cluster: Cluster, names: ObjectNames, router: Mapping[str, Any] | None
) -> datetime | None:
    """When the flag last went from one color to the other; None when it never did.

    Raises:
        DataPlaneError: The API server does not say it.
    """
    flag = cluster.get(names.core("configmaps", names.flag))
    if flag is None:
        return None
    created = _moment(flag["metadata"].get("creationTimestamp"))
    changed = _changed(flag)
    if created is None or changed is None:
        msg = (
            f"ConfigMap {names.flag} does not say when it was changed; delete it and run "
            "`pulumi up --refresh`, which makes it again"
        )
        raise DataPlaneError(msg)
    made = _moment((router or {}).get("metadata", {}).get("creationTimestamp"))
    is_first = changed <= created and (made is None or created - made <= _SAME_DEPLOYMENT)
    return None if is_first else changed


def _changed(flag: Mapping[str, Any]) -> datetime | None:
    """When the color was last written, as the API server keeps it with the field's owner."""
    moments = [
        moment
        for entry in flag["metadata"].get("managedFields") or []
        if f"f:{_COLOR}" in (entry.get("fieldsV1") or {}).get("f:data", {})
        and (moment := _moment(entry.get("time"))) is not None
    ]
    return max(moments, default=None)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None
    except ValueError:
        return None
