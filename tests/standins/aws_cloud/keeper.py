"""Runs the processes of all instances, and ends them when whoever asked for it is gone.

A program of its own that needs nothing but Python: `python -I keeper.py`, orders as lines of JSON
on standard input, and a line on standard output for each instance of which no process is left. It
ends when its input ends, however that came about, and every process that it ever started with it.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # prctl(2)
PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.02


class Keeper:
    """The instances by their names; each is a process group."""

    def __init__(self) -> None:
        self._groups: dict[str, int] = {}

    def obey(self, line: bytes) -> None:
        """Does what one line asks for."""
        order = json.loads(line)
        if "signal" in order:
            self._signal(order["name"], order["signal"])
        else:
            self._start(**order)

    def tell_ended(self) -> None:
        """Collects whoever has ended, and says which instances have nobody left."""
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        for name in [name for name, group in self._groups.items() if not is_there(group)]:
            del self._groups[name]
            print(json.dumps({"ended": name}), flush=True)

    def end(self) -> None:
        """Kills all, those too that have left the process group of their instance."""
        for group in self._groups.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:
                for pid in children():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                os.wait()

    def _start(self, name: str, command: list[str], env: dict[str, str], folder: str) -> None:
        with Path(folder, "output").open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=end_with_keeper,
            )
        self._groups[name] = process.pid
        # Its end is seen by `tell_ended`, like that of all others.
        process.returncode = 0

    def _signal(self, name: str, number: int) -> None:
        with contextlib.suppress(KeyError, ProcessLookupError):
            os.killpg(self._groups[name], number)


def is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def children() -> list[int]:
    """Own children: whoever lost its parent is among them."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name of the program, in parentheses, may have spaces.
            fields = status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():
                found.append(int(status.parent.name))
    return found


def end_with_keeper() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Obeys until nobody gives orders any more."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    keeper, rest = Keeper(), b""
    try:
        while True:
            keeper.tell_ended()
            if not select.select([0], [], [], POLL_SECONDS)[0]:
                continue
            data = os.read(0, 65536)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                keeper.obey(line)
    finally:
        keeper.end()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    main()
