"""What the inputs of a program are before anything is done with them."""

from typing import Any

from checkpoint import with_secrets_of
from kinds import Kind
from metadata import adopt_autoname, assign_autoname, is_named
from normal_form import normalized
from property_values import from_struct, plain, to_struct
from pulumi.runtime.proto import provider_pb2

__all__ = ["checked"]

Object = dict[str, Any]


def checked(
    kind: Kind, request: provider_pb2.CheckRequest, default_namespace: str | None
) -> provider_pb2.CheckResponse:
    """The inputs with a name, if there is none, and with a namespace.

    Raises:
        ValueError: the project forbids to make up names.
    """
    news, olds = from_struct(request.news), plain(from_struct(request.olds))
    inputs = normalized(plain(news))
    if olds:
        adopt_autoname(inputs, olds)
    else:
        _autoname(inputs, request)
    if kind.is_namespaced and default_namespace is not None:
        _fill_namespace(inputs, default_namespace)
    return provider_pb2.CheckResponse(inputs=to_struct(with_secrets_of(inputs, news)))


def _autoname(inputs: Object, request: provider_pb2.CheckRequest) -> None:
    options = request.autonaming if request.HasField("autonaming") else None
    is_off = options and options.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE
    if is_off and not is_named(inputs):
        msg = "autonaming is disabled, resource requires the .metadata.name field to be set"
        raise ValueError(msg)
    proposed = options.proposed_name if options else ""
    assign_autoname(inputs, request.urn.split("::")[-1], request.randomSeed, proposed)


def _fill_namespace(inputs: Object, namespace: str) -> None:
    metadata = inputs.setdefault("metadata", {})
    if isinstance(metadata, dict) and not metadata.get("namespace"):
        metadata["namespace"] = namespace
