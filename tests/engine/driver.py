"""What the scenarios may do: the platform-neutral driver, eleven verbs.

Each platform implements it once; no scenario names a platform. The live data plane is asked by
`live` and `ask`; Pulumi's state only by `outputs`.
"""

from collections import Counter
from typing import Any, Protocol

from bluegreen.traffic import TrafficSplit
from tests.engine.pulumi_stack import Result

__all__ = ["Driver"]


class Driver(Protocol):
    can_split: bool
    """Whether the router can send a share of production to each color."""

    settle_seconds: float
    """What the data plane may take to follow what is no switch: members that ended, a hand edit."""

    sees_drift: bool
    """Whether a plain preview sees what was moved by hand; else it takes `--refresh`."""

    def configure(self, key: str, value: Any) -> None:
        """Sets one key of the stack config, dotted; None removes it."""

    def arrange(self, *, refresh: bool = False) -> None:
        """`pulumi up` without its preview, for what a test begins with or leaves."""

    def up(self, *, refresh: bool = False, **environment: str) -> Result:
        """`pulumi up`, with its preview; `refresh` adds `--refresh`.

        Steps carry the scenarios' names for the resources.
        """

    def preview(self, *, refresh: bool = False, **environment: str) -> Result:
        """`pulumi preview`."""

    def refresh(self) -> Result:
        """`pulumi refresh`."""

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""

    def live(self) -> TrafficSplit | None:
        """Who gets which share of production now, as the data plane says."""

    def ask(self, endpoint: str, count: int = 20) -> Counter[str]:
        """Who answers on `production` or `test`: "blue 1.0", or the status where it is no 2xx."""

    def move_by_hand(self, active: str | None, percent: int = 0) -> None:
        """Moves production traffic behind Pulumi's back; None: to where nobody ever sent it."""

    def end_members(self, color: str) -> None:
        """Ends every member of a color behind Pulumi's back."""

    def events(self) -> list[dict[str, Any]]:
        """The audit trail."""
