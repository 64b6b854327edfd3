"""Starts and ends what instances run; a keeper of its own sees to it that nothing is left."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["Processes"]

_KEEPER = Path(__file__).with_name("keeper.py")
_LIMIT_SECONDS = 10.0


class Processes:
    """The process groups of a cloud, by the names of their instances."""

    def __init__(self) -> None:
        self._alive: set[str] = set()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def open(self) -> None:
        """Starts the keeper."""
        # A session of its own: Ctrl-C is for the tests, which then end the keeper.
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", str(_KEEPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name="keeper", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Ends the keeper, and with it all that run."""
        keeper, reader = self._keeper, self._reader
        if keeper is None or reader is None or keeper.stdin is None or keeper.stdout is None:
            return
        keeper.stdin.close()
        keeper.wait(_LIMIT_SECONDS)
        reader.join(_LIMIT_SECONDS)
        keeper.stdout.close()

    def start(
        self, name: str, command: Sequence[str], env: Mapping[str, str], folder: Path
    ) -> None:
        """Starts an instance in a folder of its own; what it prints goes to `output` there."""
        self._alive.add(name)
        self._order(name=name, command=list(command), env=dict(env), folder=str(folder))

    def send(self, name: str, signal_number: int) -> None:
        """Sends a signal to all processes of an instance; nothing if there are none."""
        if name in self._alive:
            self._order(name=name, signal=int(signal_number))

    def is_alive(self, name: str) -> bool:
        """Whether a process of that instance is left."""
        return name in self._alive

    def _order(self, **order: object) -> None:
        if self._keeper is None or self._keeper.stdin is None:
            msg = "the keeper of the instances was not started"
            raise RuntimeError(msg)
        self._keeper.stdin.write(json.dumps(order).encode() + b"\n")
        self._keeper.stdin.flush()

    def _read(self) -> None:
        if self._keeper and self._keeper.stdout:
            for line in self._keeper.stdout:
                self._alive.discard(json.loads(line)["ended"])
