"""The Python processes that the language host starts, and how they end."""

import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from interpreter import Interpreter, InterpreterError

__all__ = ["Children", "in_background", "output_of"]

ATTACHED = Path(__file__).with_name("attached.py")

# The engine kills the language host 5 s after asking it to end.
END_SECONDS = 2.0

# The usual capacity of a pipe.
CHUNK_BYTES = 64 * 1024


class Children:
    """Starts processes; none of them outlives this one or an `end_all`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def start(
        self,
        interpreter: Interpreter,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: str,
        output: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts a script or a module, unbuffered; `output` None means this process's own.

        It stays in the process group: at the end of an update the engine interrupts the group, and
        only so do processes end that a program left behind, which keep the engine's pipes open.
        """
        launcher = ["-u", str(ATTACHED), "--parent", str(os.getpid())]
        with self._lock:
            if self._is_closed:
                msg = "the language host is ending; the program did not start"
                raise InterpreterError(msg)
            process = subprocess.Popen(
                [interpreter.executable, *launcher, *arguments],
                env=environment,
                cwd=folder or None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            self._running.add(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """The exit code, once there is one."""
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Asks the process to end, then makes it."""
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def end_all(self) -> None:
        """Ends every process, and lets no other start."""
        with self._lock:
            self._is_closed = True
            running = list(self._running)
        for process in running:
            process.terminate()
        for process in running:
            self.end(process)


def output_of(process: subprocess.Popen[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """What the process prints, as it comes: pairs of output and error output, one of them empty."""
    if process.stdout is None or process.stderr is None:
        return
    chunks: queue.SimpleQueue[tuple[bytes, bytes] | None] = queue.SimpleQueue()

    def pump(stream: IO[bytes], pair: Callable[[bytes], tuple[bytes, bytes]]) -> None:
        with stream:
            while chunk := os.read(stream.fileno(), CHUNK_BYTES):
                chunks.put(pair(chunk))
        chunks.put(None)

    in_background(pump, process.stdout, lambda chunk: (chunk, b""))
    in_background(pump, process.stderr, lambda chunk: (b"", chunk))
    for _ in (process.stdout, process.stderr):
        yield from iter(chunks.get, None)


def in_background(function: Callable[..., None], *arguments: object) -> None:
    """Calls it in a thread that keeps nobody waiting."""
    threading.Thread(target=function, args=arguments, daemon=True).start()
