"""The API server as this controller uses it: lists, watches and patches of plain JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import kubernetes
import urllib3

__all__ = ["ApiError", "ApiServer"]

_WATCH_SECONDS = 240
_OK = range(200, 300)


class ApiError(Exception):
    """The API server could not be reached, or refused."""

    def __init__(self, what: str, status: int = 0) -> None:
        super().__init__(what)
        self.status = status
        """HTTP status, 0 without an answer."""


class ApiServer:
    """Speaks with the cluster of a kubeconfig; reads credentials and TLS as the official client."""

    def __init__(self, kubeconfig: Path) -> None:
        client = kubernetes.config.new_client_from_config(str(kubeconfig))
        self._host = client.configuration.host
        self._pool = client.rest_client.pool_manager
        self._headers = {
            each["key"]: each["value"] for each in client.configuration.auth_settings().values()
        }

    def list(self, path: str) -> dict[str, Any]:
        """Returns all objects of a path, and the version that a watch can begin at."""
        return self.request("GET", path)

    def watch(self, path: str, version: str) -> Iterator[dict[str, Any]]:
        """Yields events from a version on, until the server ends the watch."""
        query = {"watch": 1, "resourceVersion": version, "timeoutSeconds": _WATCH_SECONDS}
        answer = self._send("GET", f"{path}?{urlencode(query)}", None, stream=True)
        try:
            rest = b""
            for chunk in answer.stream(amt=None):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (json.loads(line) for line in lines if line)
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(str(error)) from error
        finally:
            answer.close()

    def request(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One request; `PATCH` is a merge patch.

        Raises:
            ApiError: it was not done.
        """
        answer = self._send(method, path, body, stream=False)
        found: dict[str, Any] = json.loads(answer.data)
        return found

    def _send(self, method: str, path: str, body: object, *, stream: bool) -> Any:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        try:
            answer = self._pool.request(
                method,
                self._host + path,
                headers={**self._headers, "Content-Type": kind, "Accept": "application/json"},
                body=None if body is None else json.dumps(body),
                preload_content=not stream,
                timeout=urllib3.Timeout(connect=5, read=_WATCH_SECONDS + 30 if stream else 30),
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            msg = f"{method} {path}: {error}"
            raise ApiError(msg) from error
        if answer.status not in _OK:
            msg = f"{method} {path}: status {answer.status}: {answer.data.decode()[:500]}"
            raise ApiError(msg, answer.status)
        return answer
