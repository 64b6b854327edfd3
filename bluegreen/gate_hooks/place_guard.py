"""Refuses to move a service to another place: what serves now would be made anew, and ended."""

from collections.abc import Collection

import pulumi

from bluegreen.errors import RolloutError
from bluegreen.gate_hooks.hook import HookCall

__all__ = ["PlaceGuard"]


class PlaceGuard:
    """Asked before the service's own component is updated, and so before any of its parts.

    The engine would replace every part. A hook on a part could not tell: it is not given what was
    there before a replacement.
    """

    def __init__(self, service: str, place: Collection[str]) -> None:
        """Takes whose place it is, and which of the component's properties say it."""
        self._service = service
        self._place = frozenset(place)

    def __call__(self, call: HookCall) -> None:
        """Raises when a service that has a place is to get another one."""
        # In order: which change is told does not depend on how the engine happens to send them.
        for name in sorted(self._place & call.new.keys()):
            before, after = (call.old or {}).get(name), call.new[name]
            if isinstance(after, pulumi.output.Unknown):
                # A preview that cannot know it; the update asks again.
                continue
            if before is not None and before != after:
                msg = (
                    f"{self._service}: its {name} would change from {before} to {after}: that "
                    "would make the whole service anew and end what serves now; nothing was "
                    f"changed; set it back to {before}, and deploy to {after} from a stack of its "
                    "own"
                )
                raise RolloutError(msg)
