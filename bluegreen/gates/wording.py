"""How gates quote what others said: on one line, and not too much of it."""

__all__ = ["error_text", "one_line", "seconds"]

_LIMIT = 200


def one_line(text: str, limit: int = _LIMIT) -> str:
    """The text on one line without control characters, cut at `limit` characters (default 200)."""
    words = " ".join(text.split())
    line = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in words
    )
    return line if len(line) <= limit else line[: limit - 1] + "…"


def error_text(error: BaseException) -> str:
    """The error's type and text on one line; never empty."""
    text = one_line(str(error))
    return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__} without a text"


def seconds(figure: float) -> str:
    """A duration for people, for example `2 s` or `0.25 s`."""
    return f"{figure:.3g} s" if figure < 100 else f"{figure:.0f} s"  # noqa: PLR2004
