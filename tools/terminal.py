"""A terminal in which a command is run and looked at."""

import os
import pty
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyte

__all__ = ["screen_after"]


def screen_after(
    words: Sequence[str], *, folder: Path, environment: Mapping[str, str], columns: int, lines: int
) -> pyte.Screen:
    """What stands there when the command has ended."""
    screen = pyte.Screen(columns, lines)
    stream = pyte.ByteStream(screen)
    child, terminal = pty.fork()
    if child == 0:
        size = {"COLUMNS": str(columns), "LINES": str(lines), "TERM": "xterm-256color"}
        os.chdir(folder)
        os.execvpe(words[0], list(words), {**environment, **size})  # noqa: S606
    with suppress(OSError):
        # A terminal that nobody writes to any more ends with an error, not with an empty read.
        while said := os.read(terminal, 65_536):
            stream.feed(said)
    os.waitpid(child, 0)
    os.close(terminal)
    return screen
