"""The two places a release can live."""

from enum import StrEnum

__all__ = ["Color"]


class Color(StrEnum):
    """A place for a release, fixed for life; active and idle are roles a color plays."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> "Color":
        """The color this one switches with."""
        return Color.GREEN if self is Color.BLUE else Color.BLUE
