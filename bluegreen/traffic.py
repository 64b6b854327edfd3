"""Who gets which share of production traffic."""

from collections.abc import Iterator
from dataclasses import dataclass

from bluegreen.colors import Color

__all__ = ["Route", "TrafficSplit", "UnreadableTraffic"]


@dataclass(frozen=True, slots=True)
class TrafficSplit:
    """The share of production traffic of each color, in percent; the two always sum to 100."""

    blue: int
    green: int

    def __post_init__(self) -> None:
        if self.blue < 0 or self.green < 0 or self.blue + self.green != 100:  # noqa: PLR2004
            msg = f"a traffic split of blue {self.blue} and green {self.green} does not sum to 100"
            raise ValueError(msg)

    @classmethod
    def all_to(cls, color: Color) -> "TrafficSplit":
        """The split that sends everything to one color."""
        return cls.with_canary(color, 0)

    @classmethod
    def with_canary(cls, active: Color, percent: int) -> "TrafficSplit":
        """The split that sends `percent` to the idle color and the rest to the active one."""
        return (
            cls(blue=100 - percent, green=percent)
            if active is Color.BLUE
            else cls(blue=percent, green=100 - percent)
        )

    def share_of(self, color: Color) -> int:
        """The share of one color, 0 to 100."""
        return self.blue if color is Color.BLUE else self.green

    @property
    def colors(self) -> frozenset[Color]:
        """The colors that get any production traffic."""
        return frozenset(color for color in Color if self.share_of(color) > 0)

    def rising_since(self, before: "TrafficSplit | None") -> tuple[Color, ...]:
        """The colors whose share is larger than it was; everything rises from nothing."""
        return tuple(
            color
            for color in Color
            if self.share_of(color) > (before.share_of(color) if before else 0)
        )

    def __iter__(self) -> Iterator[tuple[Color, int]]:
        return iter((color, self.share_of(color)) for color in Color)

    def __str__(self) -> str:
        whole = [color for color, share in self if share == 100]  # noqa: PLR2004
        if whole:
            return f"100 % {whole[0]}"
        return f"{self.blue} % blue, {self.green} % green"


@dataclass(frozen=True, slots=True)
class Route:
    """What a router holds: the active color, and who gets which share."""

    active: Color
    """Matters beside the shares: a canary may have more than half of the traffic."""

    split: TrafficSplit


@dataclass(frozen=True, slots=True)
class UnreadableTraffic:
    """Traffic that goes where this library never sent it."""

    text: str
    """What the router says."""

    def __str__(self) -> str:
        return self.text
