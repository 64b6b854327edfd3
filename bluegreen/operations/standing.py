"""What each color has, by what the last update left; nobody is asked over the network. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bluegreen.colors import Color
from bluegreen.contract import OutputName
from bluegreen.operations.past_config import active_color_of, canary_percent_of
from bluegreen.operations.stack import PastUpdate
from bluegreen.traffic import TrafficSplit

__all__ = ["Standing", "standings_of"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One color as it is recorded."""

    color: str
    is_active: bool
    release: str | None
    """None when nothing is deployed there."""

    percent: int | None
    """Its share of production; None where the last updates do not tell it."""


def standings_of(
    outputs: Mapping[str, Any], updates: Sequence[PastUpdate], namespace: str
) -> tuple[Standing, ...]:
    """Both colors; none where nothing is deployed.

    Args:
        outputs: The stack's: what is, also after an update that failed.
        updates: Its history, newest first.
        namespace: Of the config keys: the project's name.
    """
    active = Color.read(outputs.get(OutputName.ACTIVE_COLOR))
    if active is None:
        return ()
    releases = outputs.get(OutputName.RELEASES)
    held = releases if isinstance(releases, Mapping) else {}
    split = _split(active, updates, namespace)
    return tuple(
        Standing(
            color=color,
            is_active=color is active,
            release=str(held[color]) if held.get(color) is not None else None,
            percent=split.share_of(color) if split else None,
        )
        for color in Color
    )


def _split(active: Color, updates: Sequence[PastUpdate], namespace: str) -> TrafficSplit | None:
    """The shares; None where an update that failed may have changed those that were recorded.

    The outputs have no shares, only the active color: one that failed and wanted another active
    color than there is did not write the router.
    """
    wanted = {
        canary_percent_of(update, active.other, namespace)
        for update in _since_the_last_that_succeeded(updates)
        if active_color_of(update, namespace) is active
    }
    return TrafficSplit.with_canary(active, wanted.pop()) if len(wanted) == 1 else None


def _since_the_last_that_succeeded(updates: Sequence[PastUpdate]) -> Iterator[PastUpdate]:
    for update in updates:
        if update.kind != "update":
            continue
        yield update
        if update.result == "succeeded":
            return
