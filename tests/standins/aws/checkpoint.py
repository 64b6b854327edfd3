"""What Pulumi's state keeps of a resource, and what the provider knows by it."""

from collections.abc import Mapping
from typing import Any

from tests.standins.aws.from_terraform import from_terraform
from tests.standins.aws.shapes import Shape
from tests.standins.aws.terraform import Found
from tests.standins.aws.to_terraform import state_to_terraform
from tests.standins.kubernetes.property_values import UNKNOWN, Secret, contains_secret, plain

__all__ = ["known", "outputs", "with_secrets_of"]

# As the official provider keeps what Terraform's calls private.
PRIVATE = "__meta"
NOTHING = (b"", b"null")


def outputs(shape: Shape, found: Found, inputs: Mapping[str, Any], region: str) -> dict[str, Any]:
    """The properties of a resource; secret is what the program or the provider says is."""
    properties = from_terraform(shape, found.state or {}, plain(inputs))
    # Every type has it since version 7 of the SDK, none has it in this provider.
    properties.setdefault("region", region)
    if found.private not in NOTHING:
        properties[PRIVATE] = found.private.decode()
    for argument in shape.arguments:
        if argument.is_secret and properties.get(argument.key) not in (None, "", UNKNOWN):
            properties[argument.key] = Secret(properties[argument.key])
    return {key: with_secrets_of(value, inputs.get(key)) for key, value in properties.items()}


def known(shape: Shape, properties: Mapping[str, Any]) -> Found:
    """The other way."""
    state = plain(properties)
    return Found(state_to_terraform(shape, state), str(state.get(PRIVATE, "")).encode())


def with_secrets_of(value: Any, original: Any) -> Any:
    """`value`, secret where `original` is."""
    if isinstance(value, Secret) or not contains_secret(original):
        return value
    if isinstance(original, Secret):
        return Secret(value)
    if isinstance(original, Mapping) and isinstance(value, Mapping):
        return {key: with_secrets_of(each, original.get(key)) for key, each in value.items()}
    if isinstance(original, list) and isinstance(value, list):
        return [
            with_secrets_of(each, original[index] if index < len(original) else None)
            for index, each in enumerate(value)
        ]
    return Secret(value)
