"""What the state machine may do to a service, and see of it; two implementations."""

from typing import Any, Protocol

from bluegreen.colors import Color
from tests.engine.pulumi_stack import Result
from tests.machine.observed import Seen, Wanted

__all__ = ["KILLED", "World"]

KILLED = -9
"""Exit code of an update that was killed."""


class World(Protocol):
    def configure(self, key: str, value: Any) -> None:
        """Sets one key of the stack config, dotted; None removes it."""

    def up(self, wanted: Wanted | None, kill_at: int | None, **environment: str) -> Result:
        """`pulumi up`; killed at that moment, counted from 0, if it comes so far.

        Where the world can look between two effects, it checks there what was wanted.
        """

    def preview(self, **environment: str) -> Result:
        """`pulumi preview`."""

    def refresh(self) -> Result:
        """`pulumi refresh`."""

    def cancel(self) -> None:
        """`pulumi cancel`."""

    def move_by_hand(self, active: Color | None, percent: int) -> None:
        """Moves production traffic behind Pulumi's back; None: to where nobody ever sent it."""

    def end_members(self, color: Color) -> None:
        """Ends every member of a color behind Pulumi's back."""

    def restart_proxy(self) -> None:
        """The proxy dies and comes back."""

    def stop_proxy(self) -> None:
        """The proxy is gone until somebody starts it."""

    def damage_flag(self) -> None:
        """Half of the active flag is lost."""

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""

    def recorded(self) -> tuple[Color | None, dict[Color, tuple[str, int]]]:
        """Who is active in the state, and which release and how many members a color has there."""

    def seen(self) -> Seen:
        """What is live."""

    def events(self) -> list[dict[str, Any]]:
        """The audit trail."""

    def close(self) -> None:
        """Ends everything."""
