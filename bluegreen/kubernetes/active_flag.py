"""The active flag: a ConfigMap that says which color is active, for jobs and other programs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.kubernetes.cluster import Cluster
from bluegreen.kubernetes.names import SERVICE_LABEL, ObjectNames

__all__ = ["active_flag", "flag_color_of", "flagged_color", "last_switch"]

_COLOR = "color"
_SAME_DEPLOYMENT = timedelta(minutes=15)
"""A flag that is made later than that after its router was is one that somebody had removed."""


def active_flag(
    resource_name: str, names: ObjectNames, color: Color, opts: pulumi.ResourceOptions
) -> ConfigMap:
    """Says which color is active, once traffic has been seen to follow.

    It holds nothing but the color, so that its own time of change is the time of the switch.
    """
    return ConfigMap(
        resource_name,
        metadata={
            "name": names.flag,
            "namespace": names.namespace,
            "labels": {SERVICE_LABEL: names.service},
        },
        data={_COLOR: str(color)},
        opts=opts,
    )


def flag_color_of(properties: Mapping[str, Any]) -> Color | None:
    """Reads a flag's properties."""
    color = (properties.get("data") or {}).get(_COLOR)
    return Color(color) if color in set(Color) else None


def flagged_color(cluster: Cluster, names: ObjectNames) -> Color | None:
    """The color that the flag names now; None where there is no readable one."""
    return flag_color_of(cluster.get(names.core("configmaps", names.flag)) or {})


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
