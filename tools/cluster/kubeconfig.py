"""Files that say where an API server is and who is asking."""

from base64 import b64encode
from pathlib import Path

import yaml

from tools.cluster.certificates import KeyPair, write_private

__all__ = ["write_kubeconfig"]


def write_kubeconfig(
    file: Path, *, server: str, authority: bytes, user: KeyPair, namespace: str = "default"
) -> Path:
    """A kubeconfig that has all its certificates inside."""
    name = "bluegreen"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {"server": server, "certificate-authority-data": _text(authority)},
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": _text(user.certificate),
                    "client-key-data": _text(user.key),
                },
            }
        ],
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}
        ],
        "current-context": name,
    }
    write_private(file, yaml.safe_dump(content).encode())
    return file


def _text(data: bytes) -> str:
    return b64encode(data).decode()
