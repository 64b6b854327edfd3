"""What a provider could not do, in the middle of an update."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Advice", "Failure", "go_on"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One step of an update that failed."""

    name: str
    """The resource's name in the program."""

    urn: str
    """Its URN."""

    operation: str
    """`create` or `update`."""

    inputs: Mapping[str, Any]
    """What the program wanted it to be."""

    errors: tuple[str, ...]
    """What the provider has said, newest first."""

    def is_about(self, *codes: str) -> bool:
        """Whether one of these words is in what the provider has said."""
        return any(code in said for said in self.errors for code in codes)


Advice = Callable[[Failure], str]
"""Says what to do about a failure, in words that end a sentence."""


def go_on(_: Failure) -> str:
    """What is true of every failure that has no way out of its own."""
    return "`pulumi up` goes on from there"
