"""What goes on by itself: checks, starts, drains and ends, a step every few milliseconds."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["Clockwork"]

_STEP_SECONDS = 0.02


class Clockwork:
    """A thread that takes a step until it is closed."""

    def __init__(self, step: Callable[[], None]) -> None:
        self._step = step
        self._end = threading.Event()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="clockwork")
        self._running: Future[None] | None = None

    def open(self) -> None:
        """Goes on from here."""
        self._running = self._executor.submit(self._run)

    def close(self) -> None:
        """Stops; raises what a step has raised, after which no more were taken."""
        self._end.set()
        self._executor.shutdown()
        self.check()

    def check(self) -> None:
        """Raises what a step has raised."""
        if self._running and self._running.done():
            self._running.result()

    def _run(self) -> None:
        while not self._end.wait(_STEP_SECONDS):
            self._step()
