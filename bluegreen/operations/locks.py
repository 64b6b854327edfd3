"""What Pulumi's own lock means: somebody at work, or a leftover of a killed engine."""

import os
import re
import socket
from pathlib import Path

__all__ = ["lock_advice"]

_HOLDER = re.compile(r"created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)")


def lock_advice(said: str) -> str:
    """What to do about the lock that the engine named.

    Args:
        said: The engine's words.
    """
    found = _HOLDER.search(said)
    if found is None:
        return (
            "another update of this stack is under way; wait for it; if it was killed, "
            "`pulumi cancel --yes` takes its lock away"
        )
    user, host, pid, since = found.groups()
    held = f"the stack is locked by {user}@{host} (process {pid}) since {since}"
    if host != socket.gethostname():
        return (
            f"{held}, on another machine; wait for it; only when that process is gone, "
            "`pulumi cancel --yes` takes the lock away"
        )
    if _is_running(int(pid)):
        return f"{held}, which is at work; wait for it"
    return (
        f"{held}, which does not run any more: it was killed; `pulumi cancel --yes` takes the lock "
        "away; then run this again"
    )


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    status = Path(f"/proc/{pid}/stat")
    # One that has ended and that nobody has asked for yet.
    return not (status.exists() and status.read_text().rsplit(")", 1)[-1].split()[0] == "Z")
