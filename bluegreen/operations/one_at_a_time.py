"""Two commands of one person at the same stack: the second one changes nothing."""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bluegreen.operations.outcome import RefusedError

__all__ = ["alone_on"]


@contextlib.contextmanager
def alone_on(config_file: Path) -> Iterator[None]:
    """Holds a lock of this machine for one stack; it is gone when its process is, however it ends.

    Pulumi's own lock is taken only once the update has begun, and the config is written before.

    Raises:
        RefusedError: Another command of this user has it.
    """
    name = hashlib.sha256(str(config_file.resolve()).encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir(), f"bluegreen-{os.getuid()}-{name}.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            msg = (
                f"another bluegreen command (process {holder}) is at work on this stack; nothing "
                "was changed; wait for it, then look: `bluegreen status`"
            )
            raise RefusedError(msg) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)
