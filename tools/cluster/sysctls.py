"""Settings of the whole machine that a kubelet changes: read before, set back afterwards."""

import json
from contextlib import suppress
from pathlib import Path

__all__ = ["current", "restore", "save"]

CHANGED = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
SETTINGS = Path("/proc/sys")
FILE = "sysctls.json"


def current() -> dict[str, str]:
    """The settings as they are now."""
    found = {}
    for name in CHANGED:
        with suppress(OSError):
            found[name] = (SETTINGS / name).read_text().strip()
    return found


def save(run: Path) -> None:
    """Writes them down, as they were before the first of the nodes on this machine."""
    others = _saved_by_others(run)
    (run / FILE).write_text(others[0].read_text() if others else json.dumps(current()))


def restore(run: Path) -> None:
    """Sets them back, unless another node is still there to do it."""
    file = run / FILE
    if not file.exists() or _saved_by_others(run):
        return
    now = current()
    for name, value in json.loads(file.read_text()).items():
        if now.get(name) != value:
            (SETTINGS / name).write_text(value)


def _saved_by_others(run: Path) -> list[Path]:
    return [file for file in run.parent.glob(f"*/{FILE}") if file.parent != run]
