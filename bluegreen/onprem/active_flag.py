"""The active flag: a JSON file that says which color is active, for jobs and other programs."""

import getpass
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from bluegreen.colors import Color
from bluegreen.onprem.journal import read_json, write_json
from bluegreen.onprem.provider import LiveProvider, differs, plain

__all__ = ["ActiveFlag", "last_switch"]

_CONTENT = ("service", "color", "release")


class _Provider(LiveProvider):
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(props["path"], _write(props))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        flag = read_json(Path(news["path"])) or {}
        is_lost = any(flag.get(key) != olds.get(key) for key in _CONTENT)
        return dynamic.DiffResult(changes=differs(olds, news) or is_lost)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        flag = read_json(Path(props["path"]))
        return dynamic.ReadResult(id_, plain(props) | (flag or {"color": ""}))

    def update(
        self,
        _id: str,
        _olds: dict[str, Any],
        news: dict[str, Any],
    ) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(_write(news))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        Path(props["path"]).unlink(missing_ok=True)


def _write(props: dict[str, Any]) -> dict[str, Any]:
    path = Path(props["path"])
    before = read_json(path) or {}
    content = {key: props[key] for key in _CONTENT}
    is_switch = before.get("color") != content["color"]
    content["since"] = _now() if is_switch else before.get("since", _now())
    # Without a color before there is no rollback target, and no retention to keep.
    content["previous"] = before.get("color") if is_switch else before.get("previous")
    content["by"] = os.environ.get("BLUEGREEN_BY") or f"{getpass.getuser()}@{socket.gethostname()}"
    write_json(path, content)
    return plain(props) | content


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class ActiveFlag(dynamic.Resource, module="onprem", name="ActiveFlag"):
    """Says which color is active, once traffic has been seen to follow."""

    color: pulumi.Output[str]
    """The active color."""

    since: pulumi.Output[str]
    """When this color became active, in UTC."""

    def __init__(
        self,
        name: str,
        *,
        path: Path,
        service: str,
        color: Color,
        release: str,
        opts: pulumi.ResourceOptions,
    ) -> None:
        props = {
            "path": str(path),
            "service": service,
            "color": str(color),
            "release": release,
            "since": None,
        }
        super().__init__(_Provider(), name, props, opts)


def last_switch(path: Path) -> datetime | None:
    """When the flag last went from one color to the other; None when it never did.

    Raises:
        DataPlaneError: The flag cannot be read.
    """
    flag = read_json(path)
    if flag is None or not flag.get("previous"):
        return None
    return datetime.fromisoformat(flag["since"])
