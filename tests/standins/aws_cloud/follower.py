"""Lets the proxy follow what the API has been told, and lets callers wait until it has."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from tests.standins.aws_cloud.proxy import Proxy
from tests.standins.aws_cloud.routing import Routing

__all__ = ["Follower"]

_LIMIT_SECONDS = 60.0


class Follower:
    """A thread of its own: changes that come while the proxy reloads are followed together."""

    def __init__(self, proxy: Proxy, read: Callable[[], Routing]) -> None:
        """Takes how to read what is wanted; it is called without any lock of the cloud held."""
        self._proxy, self._read = proxy, read
        self._news = threading.Condition()
        self._wanted = self._done = 0
        self._is_closing = False
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="follower")
        self._running: Future[None] | None = None
        self.lag_seconds = 0.0
        """Real seconds until traffic follows what the API has answered."""

    def open(self) -> None:
        """Starts the proxy, and follows from here on."""
        # In the thread that stays: HAProxy ends with the thread that started it.
        self._executor.submit(self._proxy.start).result()
        self._running = self._executor.submit(self._run)

    def close(self) -> None:
        """Ends the proxy.

        Raises:
            DataPlaneError: something could not be followed.
        """
        with self._news:
            self._is_closing = True
            self._news.notify_all()
        self._executor.submit(self._proxy.stop).result()
        self._executor.shutdown()
        if self._running:
            self._running.result()

    def follow(self) -> None:
        """Returns when traffic follows; at once, if it is to lag behind."""
        with self._news:
            self._wanted += 1
            wanted = self._wanted
            self._news.notify_all()
            if not self.lag_seconds:
                self._wait_done(wanted)

    def _wait_done(self, wanted: int) -> None:
        end = time.monotonic() + _LIMIT_SECONDS
        while self._done < wanted:
            if self._running and self._running.done():
                self._running.result()
            if self._is_closing or time.monotonic() > end:
                msg = "the proxy did not follow a change of the listeners"
                raise RuntimeError(msg)
            self._news.wait(0.1)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._is_closing or self._wanted > self._done)
                if self._is_closing:
                    return
            time.sleep(self.lag_seconds)
            with self._news:
                wanted = self._wanted
            self._proxy.follow(self._read())
            with self._news:
                self._done = wanted
                self._news.notify_all()
