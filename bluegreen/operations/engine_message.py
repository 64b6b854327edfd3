"""What the engine tells while it works."""

from dataclasses import dataclass

__all__ = ["EngineMessage"]


@dataclass(frozen=True, slots=True)
class EngineMessage:
    """What the engine tells while it works."""

    text: str
    severity: str
    """`info`, `info#err`, `warning` or `error`; `step` for what happens to a resource."""

    is_ephemeral: bool = False
    """True for what is only of interest while one waits for it."""
