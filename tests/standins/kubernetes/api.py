"""The API server, spoken to in plain JSON over the connection of the official client."""

import json
import os
import re
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
import yaml
from kinds import Kind
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException, kube_config

__all__ = ["Api", "ApiError", "NoSuchKindError", "UnreachableError", "active_cluster", "connect"]

TIMEOUT = urllib3.Timeout(connect=10, read=60)

# Enough connections for as many calls as the engine makes at once.
CONNECTIONS = 64

Object = dict[str, Any]


class ApiError(Exception):
    """The API server said no."""

    def __init__(self, status: Mapping[str, Any], code: int) -> None:
        super().__init__(str(status.get("message") or f"the server answered {code}"))
        self.code = code
        self.reason = str(status.get("reason") or "")
        self.about = str((status.get("details") or {}).get("kind") or "")

    @property
    def is_missing(self) -> bool:
        return self.code == 404

    @property
    def is_forbidden(self) -> bool:
        return self.code == 403

    @property
    def is_conflict(self) -> bool:
        """Another field manager owns a field, or the object was changed in between."""
        return self.reason == "Conflict"

    @property
    def exists_already(self) -> bool:
        return self.reason == "AlreadyExists"

    @property
    def is_missing_namespace(self) -> bool:
        return self.is_missing and self.about == "namespaces"


class NoSuchKindError(Exception):
    """The cluster does not serve this kind: its CustomResourceDefinition is missing."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f'no matches for kind "{kind.name}" in version "{kind.api_version}"')


class UnreachableError(Exception):
    """No answer from the API server, or no way to find it."""


class Api:
    """One cluster, as one user."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self.namespace = namespace
        self._client = client
        self._pool = client.rest_client.pool_manager
        self._served: set[Kind] = set()

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        self._require_served(kind)
        return self._request("GET", kind.object(namespace, name))

    def all_of(self, root: str, namespace: str, plural: str) -> list[Object]:
        """All objects of a kind in a namespace."""
        return list(self._request("GET", f"{root}/namespaces/{namespace}/{plural}")["items"])

    def create(self, kind: Kind, body: Object, *, manager: str, dry_run: bool) -> Object:
        self._require_served(kind)
        path = kind.collection(body["metadata"].get("namespace", ""))
        return self._request("POST", path, body, fieldManager=manager, **_dry(dry_run))

    def replace(self, kind: Kind, body: Object, *, manager: str, dry_run: bool) -> Object:
        path = kind.object(body["metadata"].get("namespace", ""), body["metadata"]["name"])
        return self._request("PUT", path, body, fieldManager=manager, **_dry(dry_run))

    def apply(
        self, kind: Kind, body: Object, *, manager: str, force: bool, dry_run: bool
    ) -> Object:
        """Server-side apply."""
        self._require_served(kind)
        path = kind.object(body["metadata"].get("namespace", ""), body["metadata"]["name"])
        words = {"fieldManager": manager, "force": str(force).lower(), **_dry(dry_run)}
        return self._request("PATCH", path, body, "application/apply-patch+yaml", **words)

    def patch(self, kind: Kind, namespace: str, name: str, operations: list[Object]) -> Object:
        path = kind.object(namespace, name)
        return self._request("PATCH", path, operations, "application/json-patch+json")

    def delete(self, kind: Kind, namespace: str, name: str, propagation: str) -> None:
        self._require_served(kind)
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        self._request("DELETE", kind.object(namespace, name), body)

    def check_reachable(self) -> None:
        """Returns if the API server answers at all.

        Raises:
            UnreachableError: it does not.
            ApiError: it does not know this user.
        """
        self._request("GET", "/version")

    def serves(self, kind: Kind) -> bool:
        """Whether the cluster has this kind; only custom ones may come and go."""
        if not kind.is_custom or kind in self._served:
            return True
        try:
            served = self._request("GET", kind.root)["resources"]
        except ApiError as error:
            if error.is_missing:
                return False
            raise
        if any(resource["name"] == kind.plural for resource in served):
            self._served.add(kind)
        return kind in self._served

    def forget_served(self) -> None:
        """Asks the cluster again which kinds it has."""
        self._served.clear()

    def _require_served(self, kind: Kind) -> None:
        if not self.serves(kind):
            raise NoSuchKindError(kind)

    def _request(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        **query: str,
    ) -> Object:
        url = self._client.configuration.host.rstrip("/") + path
        if query:
            url = f"{url}?{urlencode(query)}"
        headers = {"Accept": "application/json", "User-Agent": "pulumi-kubernetes"}
        if token := self._client.configuration.get_api_key_with_prefix("authorization"):
            headers["Authorization"] = token
        if body is not None:
            headers["Content-Type"] = content_type
        content = None if body is None else json.dumps(body)
        try:
            response = self._pool.request(
                method,
                url,
                body=content,
                headers=headers,
                timeout=TIMEOUT,
                retries=_retries(method),
            )
        except urllib3.exceptions.HTTPError as error:
            msg = f'{method.title()} "{url.partition("?")[0]}": {_cause(error, url)}'
            raise UnreachableError(msg) from error
        return _answer(response)


def _dry(dry_run: bool) -> dict[str, str]:  # noqa: FBT001
    return {"dryRun": "All"} if dry_run else {}


def _retries(method: str) -> urllib3.Retry:
    # A kept connection may have been closed by a server that has been restarted since.
    times = 0 if method == "POST" else 1
    return urllib3.Retry(
        total=times, connect=0, read=times, redirect=0, status=0, allowed_methods=None
    )


def _answer(response: urllib3.BaseHTTPResponse) -> Object:
    try:
        answer = json.loads(response.data)
    except ValueError:
        answer = {"message": response.data.decode(errors="replace").strip()}
    if response.status >= 300:
        raise ApiError(answer, response.status)
    return dict(answer)


def _cause(error: Exception, url: str) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        place = urlsplit(url).netloc
        # After the words of urllib3 comes what the system said.
        text = re.sub(r"^.*\[Errno -?\d+\] ", "", str(reason)).lower()
        return f"dial tcp {place}: connect: {text}"
    return str(reason)


def connect(kubeconfig: str, context: str, cluster: str, namespace: str) -> Api:
    """The cluster of a kubeconfig (a path, or its content), of KUBECONFIG, or of the home folder.

    Raises:
        UnreachableError: there is no such configuration.
    """
    content = _loaded(kubeconfig or _ambient_path())
    chosen = _with_cluster(content, context or content.get("current-context") or "", cluster)
    configuration = Configuration()
    configuration.connection_pool_maxsize = CONNECTIONS
    try:
        # The loader writes keys into files; they are read here and then gone.
        with tempfile.TemporaryDirectory(prefix="bg-") as folder:
            loader = kube_config.KubeConfigLoader(
                chosen,
                active_context=context or None,
                config_base_path=_base(kubeconfig, folder),
                temp_file_path=folder,
            )
            loader.load_and_set(configuration)
            client = ApiClient(configuration)
            _read_keys(client)
    except (ConfigException, OSError) as error:
        msg = f"unable to load Kubernetes client configuration from kubeconfig file: {error}"
        raise UnreachableError(msg) from error
    own = loader.current_context["context"].get("namespace")
    return Api(client, namespace or own or "default")


def _read_keys(client: ApiClient) -> None:
    configuration = client.configuration
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    words = client.rest_client.pool_manager.connection_pool_kw
    for key in ("ca_certs", "ca_cert_data", "cert_file", "key_file"):
        words.pop(key, None)
    words["ssl_context"] = context


def active_cluster(kubeconfig: str, context: str, cluster: str) -> Any:
    """The cluster's entry, which tells one cluster from another; None if it is unknown."""
    try:
        content = _loaded(kubeconfig)
    except UnreachableError:
        return None
    wanted = context or content.get("current-context")
    for entry in content.get("contexts") or []:
        if entry["name"] == wanted:
            cluster = cluster or entry["context"].get("cluster")
    entries = content.get("clusters") or []
    return next((entry["cluster"] for entry in entries if entry["name"] == cluster), None)


def _ambient_path() -> str:
    named = os.environ.get("KUBECONFIG", "")
    return named or str(Path.home() / ".kube" / "config")


def _loaded(path_or_content: str) -> Object:
    text = path_or_content
    if "\n" not in path_or_content and not path_or_content.lstrip().startswith("{"):
        try:
            text = Path(path_or_content).expanduser().read_text(encoding="utf-8")
        except OSError as error:
            msg = f"unable to load Kubernetes client configuration from kubeconfig file: {error}"
            raise UnreachableError(msg) from error
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        # Its text could be a key.
        content = None
    if not isinstance(content, dict):
        msg = "failed to parse kubeconfig data in `kubernetes:config:kubeconfig`: it is not YAML"
        raise UnreachableError(msg)
    return content


def _base(kubeconfig: str, folder: str) -> str:
    path = kubeconfig or _ambient_path()
    return folder if "\n" in path or path.startswith("{") else str(Path(path).expanduser().parent)


def _with_cluster(content: Object, context: str, cluster: str) -> Object:
    if not cluster:
        return content
    contexts = [
        {**entry, "context": {**entry["context"], "cluster": cluster}}
        if entry["name"] == context
        else entry
        for entry in content.get("contexts") or []
    ]
    return {**content, "contexts": contexts}
