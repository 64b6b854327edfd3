"""What the engine sends, as plain Python, with secrets and unknowns marked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

__all__ = [
    "UNKNOWN",
    "Secret",
    "contains_secret",
    "contains_unknown",
    "from_struct",
    "is_unknown",
    "plain",
    "to_struct",
]

# The marks of Pulumi's wire format (`resource/plugin/rpc.go` in the SDK for Go).
SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWN_TEXTS = {
    UNKNOWN_TEXT,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}

# Keys that Pulumi cannot spell as Kubernetes does, only in the schemas of custom resources.
DASHED = {
    f"x_kubernetes_{name}": f"x-kubernetes-{name.replace('_', '-')}"
    for name in (
        "embedded_resource",
        "int_or_string",
        "list_map_keys",
        "list_type",
        "map_type",
        "preserve_unknown_fields",
        "validations",
    )
}
UNDERSCORED = {dashed: underscored for underscored, dashed in DASHED.items()}


class _Unknown:
    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = _Unknown()


@dataclass(frozen=True, repr=False)
class Secret:
    """A value that may not be shown."""

    value: Any


def from_struct(struct: Struct) -> dict[str, Any]:
    """The properties, with `Secret` and `UNKNOWN` in them."""
    return {DASHED.get(key, key): _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _from_object(value.struct_value)
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWN_TEXTS else value.string_value
    return value.bool_value if kind == "bool_value" else None


def _from_object(struct: Struct) -> Any:
    if SIGNATURE_KEY not in struct.fields:
        return from_struct(struct)
    if struct.fields[SIGNATURE_KEY].string_value == SECRET_SIGNATURE:
        inner = _from_value(struct.fields["value"])
        return UNKNOWN if inner is UNKNOWN else Secret(inner)
    # A reference to another resource, an asset: nothing that Kubernetes has.
    msg = "only plain values can be put into a Kubernetes object"
    raise ValueError(msg)


def to_struct(properties: Mapping[str, Any]) -> Struct:
    """The other way."""
    struct = Struct()
    struct.update(_to_wire(properties))
    return struct


def _to_wire(value: Any) -> Any:
    if isinstance(value, Secret):
        return {SIGNATURE_KEY: SECRET_SIGNATURE, "value": _to_wire(value.value)}
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, Mapping):
        return {UNDERSCORED.get(key, key): _to_wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_wire(item) for item in value]
    return value


def plain(value: Any) -> Any:
    """A copy without the marks of secrets; what is unknown stays so."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def is_unknown(value: Any) -> bool:
    """Whether the value as a whole is known only later."""
    return value is UNKNOWN


def contains_unknown(value: Any) -> bool:
    """Whether any part of it is known only later."""
    return _any_part(value, is_unknown)


def contains_secret(value: Any) -> bool:
    """Whether any part of it may not be shown."""
    return _any_part(value, lambda part: isinstance(part, Secret))


def _any_part(value: Any, test: Any) -> bool:
    if test(value):
        return True
    if isinstance(value, Secret):
        return _any_part(value.value, test)
    if isinstance(value, Mapping):
        return any(_any_part(item, test) for item in value.values())
    return isinstance(value, list) and any(_any_part(item, test) for item in value)
