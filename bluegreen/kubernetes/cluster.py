"""The API server, asked by the hooks: the same one that the provider writes to."""

import json
import os
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bluegreen.errors import DataPlaneError
from bluegreen.gates.wording import one_line

__all__ = ["Cluster", "ClusterAccess", "ClusterAnswer", "ForbiddenError"]

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
_NOT_FOUND, _FORBIDDEN, _UNAUTHORIZED = 404, 403, 401
_PAGE_SIZE = 500
_LONGEST_REASON = 500
_LONGEST_PATH = 150
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError)
"""What the client raises for a kubeconfig that is YAML and no kubeconfig."""


class ForbiddenError(DataPlaneError):
    """The API server does not let this user do it; the text has the missing permission."""


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """Which cluster, in the words of the provider's own configuration."""

    kubeconfig: str | None = None
    """Path of a kubeconfig, or its content; None for `KUBECONFIG`, `~/.kube/config`, or the pod's
    own account."""

    context: str | None = None
    """One of its contexts; None for its current one."""


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
        """One object; None when there is none."""
        answer = self.request("GET", path)
        return None if answer.status == _NOT_FOUND else self._content("GET", path, answer)

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
        # The library of the client, as it has set it up: certificates, proxies, exec plugins.
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
    def _connection(self) -> "_Connection":
        with self._lock:
            return self._opened

    @cached_property
    def _opened(self) -> "_Connection":
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
        raise DataPlaneError(msg)


@dataclass(frozen=True)
class _Connection:
    """An open way to one API server."""

    url: str
    namespace: str
    pool: Any
    configuration: Any

    def credentials(self) -> dict[str, str]:
        """The headers that say who asks; a token that has run out is fetched anew."""
        return {
            setting["key"]: setting["value"]
            for setting in self.configuration.auth_settings().values()
            if setting["in"] == "header" and setting["value"]
        }


def _connect(access: ClusterAccess) -> _Connection:
    # Takes a third of a second, which a `pulumi up` that asks nobody need not wait for.
    from kubernetes.client import Configuration  # noqa: PLC0415
    from kubernetes.client.rest import RESTClientObject  # noqa: PLC0415
    from kubernetes.config import ConfigException  # noqa: PLC0415
    from yaml import YAMLError  # noqa: PLC0415

    configuration = Configuration()
    try:
        namespace = _load(access, configuration)
        url = _web_address(configuration.host)
        pool = RESTClientObject(configuration).pool_manager
    except (ConfigException, OSError) as error:
        msg = f"{_unusable(access)}: {' '.join(str(error).split())[:300]}"
        raise DataPlaneError(msg) from error
    except (YAMLError, *_MALFORMED) as error:
        # Without the text, and without the error as its cause: they quote what may be a token.
        msg = f"{_unusable(access)}: it is no kubeconfig ({type(error).__name__})"
        raise DataPlaneError(msg) from None
    return _Connection(url, namespace, pool, configuration)


def _unusable(access: ClusterAccess) -> str:
    text = "cannot tell which cluster to ask"
    given = access.kubeconfig
    if given is None:
        return text
    # What is long is no path: somebody encoded the content.
    is_shown = len(given) <= _LONGEST_PATH and not _is_content(given)
    return f"{text}: kubeconfig {' '.join(given.split())}" if is_shown else f"{text}: kubeconfig"


def _web_address(server: str) -> str:
    if not server.startswith(("http://", "https://")):
        msg = "the server of a cluster is an address with http:// or https://"
        raise OSError(msg)
    return server.rstrip("/")


def _load(access: ClusterAccess, configuration: Any) -> str:  # noqa: ANN401
    """Fills the client's configuration; the namespace of the context."""
    import yaml  # noqa: PLC0415
    from kubernetes import config as untyped  # noqa: PLC0415

    config: Any = untyped
    if access.kubeconfig is None and not _has_default_file():
        return _load_account(config, configuration)
    if access.kubeconfig is not None and _is_content(access.kubeconfig):
        content = yaml.safe_load(access.kubeconfig)
        config.load_kube_config_from_dict(
            content, context=access.context, client_configuration=configuration
        )
        return _namespace(content, access.context)
    config.load_kube_config(
        config_file=access.kubeconfig,
        context=access.context,
        client_configuration=configuration,
        persist_config=False,
    )
    contexts, current = config.list_kube_config_contexts(access.kubeconfig)
    chosen = next((each for each in contexts if each["name"] == access.context), current)
    return chosen.get("context", {}).get("namespace") or "default"


def _load_account(config: Any, configuration: Any) -> str:  # noqa: ANN401
    """The account of the pod that this runs in."""
    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException as error:
        msg = (
            "there is no kubeconfig (kubernetes:kubeconfig, KUBECONFIG or ~/.kube/config), and no "
            f"account of a pod: {error}"
        )
        raise config.ConfigException(msg) from error
    return Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace").read_text().strip()


def _is_content(kubeconfig: str) -> bool:
    """A whole kubeconfig, which may be one line of JSON, and not its path."""
    return "\n" in kubeconfig.strip() or kubeconfig.lstrip().startswith("{")


def _has_default_file() -> bool:
    places = os.environ.get("KUBECONFIG", str(Path.home() / ".kube" / "config"))
    return any(Path(place).is_file() for place in places.split(os.pathsep) if place)


def _namespace(content: Mapping[str, Any], context: str | None) -> str:
    wanted = context or content.get("current-context")
    contexts = content.get("contexts") or []
    chosen: Mapping[str, Any] = next((each for each in contexts if each.get("name") == wanted), {})
    return chosen.get("context", {}).get("namespace") or "default"


def _reason(error: BaseException) -> str:
    """The innermost cause: what the client wraps around it names addresses of objects."""
    cause: BaseException = error
    while (inner := cause.__cause__ or getattr(cause, "reason", None)) and isinstance(
        inner, BaseException
    ):
        cause = inner
    text = getattr(cause, "strerror", None) or str(cause)
    return " ".join(str(text).split())[:200]
