"""The API server, asked by the hooks: the same one that the provider writes to."""

import json
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from bluegreen.errors import DataPlaneError
from bluegreen.gates.wording import one_line
from bluegreen.kubernetes.cluster_access import ClusterAccess, Connection

__all__ = ["Cluster", "ClusterAccess", "ClusterAnswer", "ConflictError", "ForbiddenError"]

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
_NOT_FOUND, _CONFLICT, _FORBIDDEN, _UNAUTHORIZED = 404, 409, 403, 401
_PAGE_SIZE = 500
_LONGEST_REASON = 500


class ForbiddenError(DataPlaneError):
    """The API server does not let this user do it; the text has the missing permission."""


class ConflictError(DataPlaneError):
    """The object is not what it was when it was read, or somebody else owns the field."""


@dataclass(frozen=True, slots=True)
class ClusterAnswer:
    """What the API server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Cluster:
    """Asks the API server for plain objects, as JSON has them.

    Every method raises `DataPlaneError`, in one line that names what was asked, when there is no
    usable answer.
    """

    def __init__(self, access: ClusterAccess) -> None:
        self._access = access
        self._lock = threading.Lock()

    def get(self, path: str) -> dict[str, Any] | None:
        """One object; None when there is none. A kind that is not served is an error."""
        answer = self.request("GET", path)
        if answer.status != _NOT_FOUND:
            return self._content("GET", path, answer)
        if _is_of_the_path(answer):
            kind = path.rpartition("/")[0]
            msg = f"the cluster does not serve {kind}: it lacks that API, or its definitions (CRDs)"
            raise DataPlaneError(msg)
        return None

    def items(self, path: str, **selectors: str) -> list[dict[str, Any]]:
        """All objects of a list, page by page."""
        found: list[dict[str, Any]] = []
        query = {name: value for name, value in selectors.items() if value}
        token = ""
        while True:
            page = query | {"limit": str(_PAGE_SIZE)} | ({"continue": token} if token else {})
            whole = f"{path}?{urlencode(page)}"
            content = self._content("GET", path, self.request("GET", whole))
            found += content.get("items") or []
            token = content.get("metadata", {}).get("continue") or ""
            if not token:
                return found

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Makes an object."""
        return self._content("POST", path, self.request("POST", path, body=body))

    def apply(
        self, path: str, body: Mapping[str, Any], *, manager: str, force: bool = False
    ) -> dict[str, Any]:
        """Server-side apply: makes `manager` the owner of the fields in `body`."""
        query = urlencode({"fieldManager": manager, "force": "true" if force else "false"})
        answer = self.request(
            "PATCH", f"{path}?{query}", body=body, content_type="application/apply-patch+yaml"
        )
        return self._content("PATCH", path, answer)

    def delete(self, path: str) -> None:
        """Removes an object and what it owns; one that is not there is gone already."""
        answer = self.request("DELETE", path, body={"propagationPolicy": "Background"})
        if answer.status != _NOT_FOUND:
            self._content("DELETE", path, answer)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = _ANSWER_SECONDS,
    ) -> ClusterAnswer:
        """One request, with whatever status the answer has."""
        content = None if body is None else json.dumps(body).encode()
        return self.send(
            method,
            path,
            content=content,
            headers={"content-type": content_type, "accept": "application/json"}
            | dict(headers or {}),
            timeout_seconds=timeout_seconds,
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None,
        headers: Mapping[str, str],
        timeout_seconds: float,
    ) -> ClusterAnswer:
        """The same with a body and headers as they are."""
        connection = self._connection
        # Loaded by now, with what made the connection.
        from urllib3 import Timeout  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            answer = connection.pool.request(
                method,
                connection.url + path,
                body=content,
                headers=dict(headers) | connection.credentials(),
                timeout=Timeout(connect=_CONNECT_SECONDS, read=timeout_seconds),
                retries=False,
                redirect=False,
            )
        except (HTTPError, ssl.SSLError, OSError) as error:
            msg = f"the API server at {connection.url} does not answer: {_reason(error)}"
            raise DataPlaneError(msg) from error
        return ClusterAnswer(answer.status, answer.data, dict(answer.headers))

    @property
    def namespace(self) -> str:
        """The namespace of the context."""
        return self._connection.namespace

    @property
    def _connection(self) -> Connection:
        with self._lock:
            return self._opened

    @cached_property
    def _opened(self) -> Connection:
        return _connect(self._access)

    def _content(self, method: str, path: str, answer: ClusterAnswer) -> dict[str, Any]:
        try:
            content = json.loads(answer.body)
        except ValueError:
            content = None
        if 200 <= answer.status < 300 and isinstance(content, dict):  # noqa: PLR2004
            return content
        said = content.get("message") if isinstance(content, dict) else None
        reason = str(said or answer.body[:500].decode(errors="replace"))
        msg = f"{method} {path} answers {answer.status}: {one_line(reason, _LONGEST_REASON)}"
        if answer.status in {_FORBIDDEN, _UNAUTHORIZED}:
            raise ForbiddenError(msg)
        if answer.status == _CONFLICT:
            raise ConflictError(msg)
        raise DataPlaneError(msg)


def _is_of_the_path(answer: ClusterAnswer) -> bool:
    """Whether a 404 is about the path, in plain words, and not about the object, as a `Status`."""
    return not answer.body.lstrip().startswith(b"{")


def _connect(access: ClusterAccess) -> Connection:
    # Takes a while to load, and a `pulumi up` that asks nobody need not wait for it.
    from bluegreen.kubernetes.plain_kubeconfig import plain_connection  # noqa: PLC0415

    connection = plain_connection(access)
    if connection is not None:
        return connection
    from bluegreen.kubernetes.client_kubeconfig import client_connection  # noqa: PLC0415

    return client_connection(access)


def _reason(error: BaseException) -> str:
    """The innermost cause: what the client wraps around it names addresses of objects."""
    cause: BaseException = error
    while (inner := cause.__cause__ or getattr(cause, "reason", None)) and isinstance(
        inner, BaseException
    ):
        cause = inner
    text = getattr(cause, "strerror", None) or str(cause)
    return " ".join(str(text).split())[:200]
