"""Runs a Python script or module as if started directly, but ends it when its parent has ended.

    python -u attached.py [--parent PID] [--finish SECONDS] (script PATH | module NAME) ARGS...

The engine starts its plugins in process groups of their own, so they outlive an engine that was
killed, and an orphan may still write to what the next update is working on.
"""

import argparse
import os
import runpy
import select
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

__all__ = ["wait_for_end_of_parent"]

POLL_SECONDS = 0.5


def wait_for_end_of_parent(parent: int) -> None:
    """Returns once `parent`, the process that started this one, is gone."""
    handle = _process_handle(parent)
    if handle is None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        return
    try:
        # Before the handle was open, the parent may have ended and its number been reused.
        if os.getppid() == parent:
            select.select([handle], [], [])
    finally:
        os.close(handle)


def _process_handle(process: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None where there is none."""
    if sys.platform != "linux":
        return None
    with suppress(OSError):
        return os.pidfd_open(process)
    return None


def _end_with(parent: int, finish_seconds: float) -> None:
    wait_for_end_of_parent(parent)
    if finish_seconds > 0:
        # To the main thread and no other: only there does it interrupt what is waiting.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(finish_seconds)
    os._exit(1)


def _interrupt_once(_number: int, _frame: FrameType | None) -> None:
    # A second signal would end up as a traceback of the interpreter's own shutdown.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(kind: str, name: str, arguments: Sequence[str]) -> None:
    sys.argv = [name, *arguments]
    own_folder = str(Path(__file__).parent)
    sys.path[:] = [entry for entry in sys.path if entry != own_folder]
    if kind == "module":
        sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(name, run_name="__main__", alter_sys=True)
        return
    if not Path(name).is_dir():
        # For a folder, `run_path` does the like itself.
        sys.path.insert(0, str(Path(name).resolve().parent))
    runpy.run_path(name, run_name="__main__")


def main() -> None:
    """Reads the command line and runs what it names."""
    parser = argparse.ArgumentParser(description=__doc__, prog="attached.py")
    parser.add_argument("--parent", type=int, default=os.getppid())
    parser.add_argument("--finish", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("kind", choices=("script", "module"))
    parser.add_argument("name")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()

    watcher = threading.Thread(
        target=_end_with, args=(chosen.parent, chosen.finish), name="parent-watch", daemon=True
    )
    watcher.start()
    with suppress(KeyboardInterrupt):
        # Where there is nothing to finish, an interrupt ends it on the spot, without a traceback.
        signal.signal(signal.SIGINT, _interrupt_once if chosen.finish > 0 else signal.SIG_DFL)
        _run(chosen.kind, chosen.name, chosen.arguments)


if __name__ == "__main__":
    main()
