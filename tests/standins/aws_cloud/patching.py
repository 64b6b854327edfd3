"""Replaces parts of moto for a while, and puts them back."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.standins.aws_cloud.world import World

__all__ = ["Patch", "Replacement", "applied"]

_ABSENT = object()


@dataclass(frozen=True)
class Replacement:
    """What one attribute of a class is while the cloud is up."""

    owner: type
    name: str
    value: Any


Patch = Callable[["World"], Iterable[Replacement]]
"""Yields its replacements one by one; each is made before the next is asked for, so that a patch
wraps what those before it have left."""


@contextlib.contextmanager
def applied(patches: Iterable[Patch], world: "World") -> Iterator[None]:
    """Makes all replacements, and undoes them in the reverse order."""
    with contextlib.ExitStack() as stack:
        for patch in patches:
            for each in patch(world):
                stack.callback(_restore, each, vars(each.owner).get(each.name, _ABSENT))
                setattr(each.owner, each.name, each.value)
        yield


def _restore(replacement: Replacement, original: object) -> None:
    if original is _ABSENT:
        delattr(replacement.owner, replacement.name)
    else:
        setattr(replacement.owner, replacement.name, original)
