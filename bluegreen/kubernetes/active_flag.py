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

_COLOR, _SINCE, _PREVIOUS = "color", "since", "previous"
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
    """Writes what jobs read: after the flag's resource is made, and before it is updated."""

    def __init__(self, cluster: Cluster, names: ObjectNames) -> None:
        self._cluster = cluster
        self._names = names

    def __call__(self, call: HookCall) -> None:
        """Writes the color; raises `DataPlaneError` when the API server does not take it."""
        color = flag_color_of(call.new)
        if color is None:
            return
        before = flag_color_of(call.old or {})
        names = self._names
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": names.flag, "namespace": names.namespace},
            "data": _data(color, before, _data_of(self._cluster, names)),
        }
        path = names.core("configmaps", names.flag)
        self._cluster.apply(path, body, manager=_MANAGER, force=True)


def flag_color_of(properties: Mapping[str, Any]) -> Color | None:
    """Reads the properties of a flag's resource."""
    annotations = (properties.get("metadata") or {}).get("annotations") or {}
    return Color.read(annotations.get(ACTIVE))


def flagged_color(cluster: Cluster, names: ObjectNames) -> Color | None:
    """The color that the flag names now; None where there is no readable one."""
    return Color.read((_data_of(cluster, names) or {}).get(_COLOR))


def last_switch(
    cluster: Cluster, names: ObjectNames, router: Mapping[str, Any] | None
) -> datetime | None:
    """When the flag last went from one color to the other; None when it never did.

    Raises:
        DataPlaneError: The flag does not say it.
    """
    data = _data_of(cluster, names)
    if data is None:
        return None
    since = _moment(data.get(_SINCE))
    if since is None or Color.read(data.get(_COLOR)) is None:
        msg = (
            f"ConfigMap {names.flag} does not say since when which color is active; delete it and "
            "run `pulumi up --refresh`, which makes it again"
        )
        raise DataPlaneError(msg)
    if data.get(_PREVIOUS):
        return since
    made = _moment((router or {}).get("metadata", {}).get("creationTimestamp"))
    return None if made is None or since - made <= _SAME_DEPLOYMENT else since


def _data_of(cluster: Cluster, names: ObjectNames) -> dict[str, str] | None:
    flag = cluster.get(names.core("configmaps", names.flag))
    return None if flag is None else flag.get("data") or {}


def _data(color: Color, before: Color | None, found: Mapping[str, str] | None) -> dict[str, str]:
    """What the flag is to hold; one that holds the color already keeps since when."""
    is_written = found is not None and found.get(_COLOR) == color and _moment(found.get(_SINCE))
    if found is not None and is_written:
        return dict(found)
    previous = before or Color.read((found or {}).get(_COLOR))
    data = {_COLOR: str(color), _SINCE: datetime.now(UTC).isoformat(timespec="milliseconds")}
    return data | ({_PREVIOUS: str(previous)} if previous else {})


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None
    except ValueError:
        return None
