"""Stack outputs that say what is, also when an update was stopped.

Pulumi stores a stack's outputs only when all of them are known, and what was stopped never becomes
known: the outputs would go on saying what was true before. So a hook that stops an update first
lets the outputs be what the data plane says, and gives Pulumi the moment it needs to send them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.gate_hooks.daemon_thread import in_daemon_thread
from bluegreen.gates.data_plane import DataPlane
from bluegreen.plan import ServicePlan
from bluegreen.traffic import TrafficSplit

__all__ = ["LiveFacts", "Truth"]

_SEND_SECONDS = 0.5
"""What Pulumi is given to send the outputs before the update fails; measured: some 20 ms."""


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """What the data plane says at the moment an update is stopped."""

    active_color: Color
    releases: dict[str, str]
    split: TrafficSplit

    def __str__(self) -> str:
        shares = [
            f"{share} % {color} {self.releases.get(color, 'without members')}"
            for color, share in self.split
            if share
        ]
        return f"production traffic goes to {', '.join(shares)}"


class Truth:
    """What the outputs of one service say when its update is stopped."""

    def __init__(self, data_plane: DataPlane, plan: ServicePlan) -> None:
        self._data_plane = data_plane
        self._plan = plan
        self._facts: asyncio.Future[LiveFacts] = asyncio.get_running_loop().create_future()

    def output(
        self, output: pulumi.Output[Any], live: Callable[[LiveFacts], Any]
    ) -> pulumi.Output[Any]:
        """The output, or what is live once the update has been stopped."""
        if pulumi.runtime.is_dry_run():
            return output

        async def first() -> Any:  # noqa: ANN401
            own: asyncio.Future[Any] = asyncio.ensure_future(output.future())
            await asyncio.wait({own, self._facts}, return_when=asyncio.FIRST_COMPLETED)
            return own.result() if own.done() else live(self._facts.result())

        return pulumi.Output.from_input(first())

    async def tell(self) -> str:
        """Lets the outputs be what is live. What cannot be asked leaves them as they were.

        Returns who has production traffic now, for people.
        """
        facts = await in_daemon_thread("truth", self._ask)
        if isinstance(facts, LiveFacts) and not self._facts.done():
            self._facts.set_result(facts)
            await asyncio.sleep(_SEND_SECONDS)
        return str(facts)

    def _ask(self) -> LiveFacts | str:
        """What is live, or why that is not said."""
        try:
            live = self._data_plane.live_route()
            releases = {color: self._release(color) for color in Color}
        except DataPlaneError as error:
            return f"who has production traffic cannot be told: {error}"
        if live is None:
            return "nobody has production traffic yet"
        known = {str(color): release for color, release in releases.items() if release is not None}
        return LiveFacts(live.active, known, live.split)

    def _release(self, color: Color) -> str | None:
        """What runs in a color; a retired one, which has no members, holds what the config says."""
        fleet = self._plan.fleets.get(color)
        is_empty = fleet is not None and fleet.replicas == 0
        return self._data_plane.release(color) or (fleet.release if fleet and is_empty else None)
