"""Which cluster the hooks ask, and an open way to its API server."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib3 import PoolManager

__all__ = ["ClusterAccess", "Connection", "default_files"]


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """Which cluster, in the words of the provider's own configuration."""

    kubeconfig: str | None = None
    """Path of a kubeconfig, or its content; None for `KUBECONFIG`, `~/.kube/config`, or the pod's
    own account."""

    context: str | None = None
    """One of its contexts; None for its current one."""

    @property
    def is_content(self) -> bool:
        """A whole kubeconfig was given, which may be one line of JSON, and not its path."""
        given = self.kubeconfig or ""
        return "\n" in given.strip() or given.lstrip().startswith("{")


@dataclass(frozen=True, slots=True)
class Connection:
    """An open way to one API server."""

    url: str
    namespace: str
    """Of the context."""

    pool: "PoolManager"
    credentials: Callable[[], dict[str, str]]
    """The headers that say who asks; a token that has run out is fetched anew."""


def default_files() -> list[Path]:
    """The kubeconfigs that there are where kubectl looks for them."""
    places = os.environ.get("KUBECONFIG", str(Path.home() / ".kube" / "config"))
    found = (Path(place) for place in places.split(os.pathsep) if place)
    return [path for path in found if path.is_file()]
