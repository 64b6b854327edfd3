"""What an update would do to an object: nothing, a change in place, or a replacement."""

from typing import Any

from checkpoint import inputs_and_live
from configuration import Settings
from differences import Difference, differences, is_within, replacing_paths
from kinds import Kind
from metadata import is_autonamed, is_named, name_of, namespace_of
from normal_form import normalized, pruned
from property_values import from_struct, plain
from pulumi.runtime.proto import provider_pb2

__all__ = ["compared"]

SOME = provider_pb2.DiffResponse.DIFF_SOME
NONE = provider_pb2.DiffResponse.DIFF_NONE

Object = dict[str, Any]


def compared(
    kind: Kind, request: provider_pb2.DiffRequest, settings: Settings
) -> provider_pb2.DiffResponse:
    """Compares what the last inputs have become in the cluster with the new inputs."""
    old_inputs, live = inputs_and_live(from_struct(request.olds))
    new = normalized(plain(from_struct(request.news)))
    old = pruned(live, normalized(old_inputs))
    for body in (old, new):
        _canonicalize_namespace(kind, body)
    if name_of(new):
        old["metadata"]["name"] = name_of(live)
    found = [
        difference
        for difference in differences(old, new)
        if not any(is_within(difference.text, path) for path in request.ignoreChanges)
    ]
    paths = replacing_paths(
        kind,
        new,
        config_maps_change=settings.config_maps_change,
        secrets_change=settings.secrets_change,
    )
    return _response(found, [one for one in found if any(map(one.touches, paths))], new, live)


def _canonicalize_namespace(kind: Kind, body: Object) -> None:
    metadata = body.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        return
    if kind.is_namespaced:
        metadata["namespace"] = metadata.get("namespace") or "default"
    else:
        metadata.pop("namespace", None)


def _response(
    found: list[Difference], replacing: list[Difference], new: Object, live: Object
) -> provider_pb2.DiffResponse:
    return provider_pb2.DiffResponse(
        changes=SOME if found else NONE,
        replaces=[one.text for one in replacing],
        deleteBeforeReplace=bool(replacing) and _keeps_name(new, live),
        detailedDiff={one.text: _property_diff(one, one in replacing) for one in found},
        hasDetailedDiff=True,
    )


def _keeps_name(new: Object, live: Object) -> bool:
    """Whether the user wants the same name again, under which there is room for one."""
    is_given = is_named(new) and not is_autonamed(new)
    is_same = (namespace_of(new), name_of(new)) == (namespace_of(live), name_of(live))
    return is_given and is_same


def _property_diff(difference: Difference, is_replacing: bool) -> provider_pb2.PropertyDiff:  # noqa: FBT001
    op = f"{difference.op}_REPLACE" if is_replacing else difference.op
    return provider_pb2.PropertyDiff(
        kind=provider_pb2.PropertyDiff.Kind.Value(op), inputDiff=difference.op == "DELETE"
    )
