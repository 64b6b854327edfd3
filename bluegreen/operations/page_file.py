"""Where a page for a browser is written."""

from pathlib import Path

from bluegreen.operations.outcome import UsageError

__all__ = ["write_page"]


def write_page(path: Path, text: str) -> None:
    """Writes the page, over what was there.

    Raises:
        UsageError: It cannot be written there.
    """
    try:
        # What somebody gave as a reason may hold halves of characters, which no file can.
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}; nothing was changed"
        raise UsageError(msg) from error
