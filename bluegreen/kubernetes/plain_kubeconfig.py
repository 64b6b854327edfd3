"""A kubeconfig with nothing special in it, read without the Kubernetes client.

Loading that costs more than all that an update asks. What is read here is only what can mean one
thing: one file with a server, its authority, a token or a certificate. All else, and all that is
wrong, is left to the client to read and to complain about.
"""

import ssl
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import getproxies

import yaml
from pydantic import BaseModel, ConfigDict
from urllib3 import PoolManager
from urllib3.util.ssl_ import create_urllib3_context

from bluegreen.kubernetes.cluster_access import ClusterAccess, Connection, default_files

__all__ = ["plain_connection"]

_MOST_IDLE = 10
"""Connections that are kept open: the gates ask several members at a time."""


class _Part(BaseModel):
    """A key that is not known here may change what the others mean: it is not plain."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        hide_input_in_errors=True,
        alias_generator=lambda name: name.replace("_", "-"),
    )

    extensions: Any = None
    """Notes of other programs, which say nothing about the way to the server."""


class _Context(_Part):
    cluster: str
    user: str
    namespace: str | None = None


class _Cluster(_Part):
    server: str
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None


class _User(_Part):
    token: str | None = None
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None


def plain_connection(access: ClusterAccess) -> Connection | None:
    """None where it takes more than is read here, and where something is wrong."""
    # Which hosts go past a proxy is for the client to say.
    if getproxies().keys() - {"no"}:
        return None
    try:
        return _connection(access)
    except (yaml.YAMLError, OSError, RuntimeError, ValueError, TypeError, KeyError):
        return None


def _connection(access: ClusterAccess) -> Connection:
    text, folder = _source(access)
    content = yaml.safe_load(text)
    wanted = content["current-context"] if access.context is None else access.context
    context = _Context(**_part(content, "context", wanted))
    cluster = _Cluster(**_part(content, "cluster", context.cluster))
    user = _User(**_part(content, "user", context.user))
    headers = {"authorization": f"Bearer {user.token}"} if user.token else {}
    return Connection(
        url=cluster.server.rstrip("/"),
        namespace=context.namespace or "default",
        pool=_pool(cluster, user, folder),
        credentials=lambda: headers,
    )


def _source(access: ClusterAccess) -> tuple[str, Path]:
    """A kubeconfig, and the folder that paths in it start from."""
    if access.kubeconfig is not None and access.is_content:
        return access.kubeconfig, Path()
    given = access.kubeconfig
    (path,) = default_files() if given is None else [Path(given).expanduser()]
    return path.read_text(), path.parent


def _part(content: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    """What has a name, which must be its name alone."""
    (found,) = (each for each in content[f"{kind}s"] if each["name"] == name)
    part: Mapping[str, Any] = found[kind]
    return part


def _pool(cluster: _Cluster, user: _User, folder: Path) -> PoolManager:
    if cluster.server.startswith("https://"):
        return PoolManager(maxsize=_MOST_IDLE, ssl_context=_tls(cluster, user, folder))
    if cluster.server.startswith("http://"):
        return PoolManager(maxsize=_MOST_IDLE)
    raise ValueError


def _tls(cluster: _Cluster, user: _User, folder: Path) -> ssl.SSLContext:
    """Trusts the cluster's authority alone, else those of the machine."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    # OpenSSL wants files, and only while it reads them.
    with TemporaryDirectory() as own:
        authority = _file(cluster, "certificate_authority", folder, Path(own))
        if authority is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(authority)
        certificate = _file(user, "client_certificate", folder, Path(own))
        key = _file(user, "client_key", folder, Path(own))
        if (certificate is None) is not (key is None):
            raise ValueError
        if certificate is not None:
            # With an empty password OpenSSL does not ask the terminal for that of a locked key.
            context.load_cert_chain(certificate, key, password="")
    return context


def _file(part: _Part, name: str, folder: Path, own: Path) -> Path | None:
    """What a kubeconfig has inside or names, as a file."""
    path, content = getattr(part, name), getattr(part, f"{name}_data")
    if content is None:
        return None if path is None else folder / path
    if path is not None:
        raise ValueError
    file = own / name
    file.write_bytes(b64decode(content))
    return file
