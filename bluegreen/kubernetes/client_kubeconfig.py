"""Any kubeconfig, and the account of a pod, as the Kubernetes client reads them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from kubernetes import config as untyped
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import ConfigException

from bluegreen.errors import DataPlaneError
from bluegreen.kubernetes.cluster_access import ClusterAccess, Connection, default_files

__all__ = ["client_connection"]

_MALFORMED = (ValueError, TypeError, KeyError, AttributeError)
"""What the client raises for a kubeconfig that is YAML and no kubeconfig."""

_LONGEST_PATH = 150
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_config: Any = untyped


def client_connection(access: ClusterAccess) -> Connection:
    """Everything that kubectl knows: programs that log in, proxies, several files.

    Raises:
        DataPlaneError: It cannot be told which cluster to ask; in one line, without what is in the
            kubeconfig.
    """
    configuration = Configuration()
    try:
        namespace = _load(access, configuration)
        url = _web_address(configuration.host)
        pool = RESTClientObject(configuration).pool_manager
    except (ConfigException, OSError) as error:
        msg = f"{_unusable(access)}: {' '.join(str(error).split())[:300]}"
        raise DataPlaneError(msg) from error
    except (yaml.YAMLError, *_MALFORMED) as error:
        # Without the text, and without the error as its cause: they quote what may be a token.
        msg = f"{_unusable(access)}: it is no kubeconfig ({type(error).__name__})"
        raise DataPlaneError(msg) from None
    return Connection(url, namespace, pool, lambda: _credentials(configuration))


def _credentials(configuration: Configuration) -> dict[str, str]:
    settings: Mapping[str, Any] = configuration.auth_settings()
    return {
        setting["key"]: setting["value"]
        for setting in settings.values()
        if setting["in"] == "header" and setting["value"]
    }


def _unusable(access: ClusterAccess) -> str:
    text = "cannot tell which cluster to ask"
    given = access.kubeconfig
    if given is None:
        return text
    # What is long is no path: somebody encoded the content.
    is_shown = len(given) <= _LONGEST_PATH and not access.is_content
    return f"{text}: kubeconfig {' '.join(given.split())}" if is_shown else f"{text}: kubeconfig"


def _web_address(server: str) -> str:
    if not server.startswith(("http://", "https://")):
        msg = "the server of a cluster is an address with http:// or https://"
        raise OSError(msg)
    return server.rstrip("/")


def _load(access: ClusterAccess, configuration: Configuration) -> str:
    """Fills the client's configuration; the namespace of the context."""
    if access.kubeconfig is None and not default_files():
        return _load_account(configuration)
    if access.kubeconfig is not None and access.is_content:
        content = yaml.safe_load(access.kubeconfig)
        _config.load_kube_config_from_dict(
            content, context=access.context, client_configuration=configuration
        )
        return _namespace(content, access.context)
    _config.load_kube_config(
        config_file=access.kubeconfig,
        context=access.context,
        client_configuration=configuration,
        persist_config=False,
    )
    contexts, current = _config.list_kube_config_contexts(access.kubeconfig)
    chosen = next((each for each in contexts if each["name"] == access.context), current)
    return chosen.get("context", {}).get("namespace") or "default"


def _load_account(configuration: Configuration) -> str:
    """The account of the pod that this runs in."""
    try:
        _config.load_incluster_config(client_configuration=configuration)
    except ConfigException as error:
        msg = (
            "there is no kubeconfig (kubernetes:kubeconfig, KUBECONFIG or ~/.kube/config), and no "
            f"account of a pod: {error}"
        )
        raise ConfigException(msg) from error
    return (_ACCOUNT / "namespace").read_text().strip()


def _namespace(content: Mapping[str, Any], context: str | None) -> str:
    wanted = context or content.get("current-context")
    contexts = content.get("contexts") or []
    chosen: Mapping[str, Any] = next((each for each in contexts if each.get("name") == wanted), {})
    return chosen.get("context", {}).get("namespace") or "default"
