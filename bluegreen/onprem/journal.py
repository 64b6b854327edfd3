"""The audit trail and the active flag: small files other programs read."""

import json
from pathlib import Path
from typing import Any

from bluegreen.errors import DataPlaneError
from bluegreen.events.event_file import EventFile
from bluegreen.onprem.private_files import write_private

__all__ = ["FileJournal", "read_json", "write_json"]


class FileJournal(EventFile):
    """The audit trail in the run directory, one line of JSON an event."""


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replaces a JSON file; a reader sees the old content or the new one, never a part.

    Raises:
        DataPlaneError: The file could not be written; the old one is untouched.
    """
    write_private(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The content of a JSON file; None when there is none.

    Raises:
        DataPlaneError: The file is there but does not hold a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read: {error}"
        raise DataPlaneError(msg) from error
    if not isinstance(content, dict):
        msg = f"{path} does not hold a JSON object"
        raise DataPlaneError(msg)
    return content
