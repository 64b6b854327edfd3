"""Becomes the program that a record describes; supervisord runs a copy of this file as a script.

supervisord cannot carry every value in its own file: an environment value with ` ;`, with ` #`,
with both kinds of quotes or with a quote at an end is cut or refused there. A JSON record carries
them all, and keeps arguments and secrets out of the process list until the program itself runs.
Only the standard library is imported, because this runs with no site-packages on every start.
"""

import json
import os
import sys
from pathlib import Path

__all__ = ["main"]

_USUAL_UMASK = 0o022


def _note_process(journal: Path) -> None:
    # Whoever finds supervisord dead can tell by this which processes it has left behind.
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    fresh = journal.with_suffix(".new")
    fresh.write_text(json.dumps({"pid": os.getpid(), "started": int(started), "boot": boot}))
    fresh.replace(journal)


def _first_arguments(journal: Path) -> list[str]:
    # For one start only: whoever is restarted later has nobody to take over from.
    file = journal.with_suffix(".first")
    try:
        words = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    file.unlink()
    return [str(word) for word in words]


def main(record_file: str, journal_file: str) -> None:
    """Notes this process in the journal and replaces it with the recorded command."""
    record = json.loads(Path(record_file).read_text(encoding="utf-8"))
    command = [*record["command"], *_first_arguments(Path(journal_file))]
    _note_process(Path(journal_file))
    # What supervisord writes is for this user only; what the program writes is its own concern.
    os.umask(_USUAL_UMASK)
    try:
        os.chdir(record["directory"])
        os.execvpe(command[0], command, {**os.environ, **record["environment"]})  # noqa: S606
    except OSError as error:
        sys.exit(f"cannot run {command[0]!r} in {record['directory']!r}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
