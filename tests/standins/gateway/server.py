"""The gateway as tests use it: a process of its own, and what it says it has done."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["GatewayServer"]

_ROOT = Path(__file__).parents[3]
_LIMIT_SECONDS = 60.0


class GatewayServer:
    """A gateway for one cluster, or for one of its namespaces; ends with the process that made it.

    `install` must have been called for the cluster.
    """

    def __init__(
        self,
        kubeconfig: Path,
        port: int,
        folder: Path,
        *,
        namespace: str | None = None,
        addresses: Mapping[str, str] | None = None,
        lag_seconds: float = 0.0,
    ) -> None:
        """Takes what it serves; starts nothing.

        Args:
            kubeconfig: The cluster, and whom to be there.
            port: Where it listens at 127.0.0.1, whatever the ports of the Gateways are.
            folder: For its files; made if it is not there. HAProxy's sockets are in it, so its path
                must be shorter than 90 characters, without spaces or brackets.
            namespace: The only one to follow; None for all.
            addresses: Where an endpoint's address really is, as `host:port`.
            lag_seconds: How much later than the statuses the traffic follows.
        """
        self.port, self.folder = port, folder
        self._process: subprocess.Popen[bytes] | None = None
        self._arguments = ["--kubeconfig", str(kubeconfig), "--port", str(port)]
        self._arguments += ["--folder", str(folder), "--lag-seconds", str(lag_seconds)]
        self._arguments += ["--namespace", namespace] if namespace else []
        for address, place in (addresses or {}).items():
            self._arguments += ["--map", f"{address}={place}"]

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int | None:
        """Process id of the controller, None before the start."""
        return self._process.pid if self._process else None

    def start(self) -> Self:
        """Starts it; returns when it serves what is in the cluster now."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.standins.gateway", "--until-stdin-ends"]
        with self._file("out").open("wb") as out, self._file("err").open("wb") as errors:
            self._process = subprocess.Popen(
                [*command, *self._arguments],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=errors,
            )
        try:
            self._wait(_ready, "it serves what is there", _LIMIT_SECONDS)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends it and its proxy."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_LIMIT_SECONDS)
        finally:
            process.kill()
            if process.stdin:
                process.stdin.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def applied(self) -> list[dict[str, Any]]:
        """Every change of the proxy, in order; see `wait_applied` for what is in them."""
        text = self._file("out").read_text(encoding="utf-8")
        # The last line may be half written.
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def wait_applied(
        self, namespace: str, route: str, generation: int, seconds: float = _LIMIT_SECONDS
    ) -> dict[str, Any]:
        """Waits until the proxy does what a generation of a route says, or a later one.

        Returns:
            The line about it: `generation`, `shares` per rule as in the proxy's map, `time` and
            `monotonic` of the moment after the change, and whether it was `reloaded` for it.
        """
        name = f"{namespace}/{route}"

        def find(lines: list[dict[str, Any]]) -> dict[str, Any] | None:
            routes = (line for line in lines if line.get("route") == name)
            return next((line for line in routes if line.get("generation", 0) >= generation), None)

        return self._wait(find, f"{name} is served in generation {generation}", seconds)

    def wait_endpoints(
        self, namespace: str, service: str, ready: int = 1, *, draining: int = 0, port: int = 80
    ) -> dict[str, Any]:
        """Waits until so many endpoints of a Service that a route names get requests.

        Watches of different kinds do not wait for each other: that a route is served does not say
        that its Services and their endpoints have been seen.
        """
        name = f"{namespace}_{service}_{port}"

        def find(lines: list[dict[str, Any]]) -> dict[str, Any] | None:
            latest = next((line for line in lines[::-1] if line.get("backend") == name), None)
            is_it = latest and (len(latest["ready"]), len(latest["draining"])) == (ready, draining)
            return latest if is_it else None

        what = f"{name} has {ready} ready and {draining} draining endpoints"
        return self._wait(find, what, _LIMIT_SECONDS)

    def _wait(
        self,
        find: Callable[[list[dict[str, Any]]], dict[str, Any] | None],
        what: str,
        seconds: float,
    ) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while not (found := find(self.applied)):
            is_running = self._process is not None and self._process.poll() is None
            if not is_running or time.monotonic() > end:
                errors = self._file("err").read_text(encoding="utf-8")[-2000:]
                msg = f"the gateway does not say that {what}; it said: {errors}"
                raise AssertionError(msg)
            time.sleep(0.002)
        return found

    def _file(self, ending: str) -> Path:
        return self.folder / f"gateway.{ending}"


def _ready(lines: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((line for line in lines if line["event"] == "ready"), None)
