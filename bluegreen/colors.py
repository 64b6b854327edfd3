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

    @classmethod
    def read(cls, written: object) -> "Color | None":
        """The color that is written; None when nothing is, or no color."""
        # YAML has lists and mappings too, in which nothing can be looked up.
        return cls(written) if isinstance(written, str) and written in set(cls) else None
