"""The active flag: a JSON file that says which color is active, for jobs and other programs."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.events import author
from bluegreen.onprem.journal import read_json, write_json
from bluegreen.onprem.provider import LiveProvider, LiveResource, plain

__all__ = ["ActiveFlag", "flagged_color", "last_switch"]

_CONTENT = ("service", "color", "release")
_HISTORY = ("since", "previous")


class _Provider(LiveProvider):
    computed = _HISTORY

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(props["path"], _write(props, recorded={}))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        flag = _read(Path(news["path"]))
        is_drift = flag is None or any(
            flag.get(key) != olds.get(key) for key in (*_CONTENT, *_HISTORY)
        )
        return dynamic.DiffResult(changes=self.has_new_inputs(olds, news) or is_drift)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Takes over what the file says; what cannot be read is left to the next update."""
        return dynamic.ReadResult(id_, plain(props) | (_read(Path(props["path"])) or {}))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(_write(news, recorded=olds))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        Path(props["path"]).unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any] | None:
    """What the flag says; None when it is lost or does not say it."""
    try:
        flag = read_json(path)
    except DataPlaneError:
        return None
    if flag is None or not _is_whole(flag):
        return None
    return {key: flag.get(key) for key in (*_CONTENT, *_HISTORY)}


def _is_whole(flag: Mapping[str, Any]) -> bool:
    colors = list(Color)
    return (
        all(isinstance(flag.get(key), str) for key in _CONTENT)
        and flag["color"] in colors
        and flag.get("previous") in [None, *colors]
        and _moment(flag.get("since")) is not None
    )


def _moment(text: object) -> datetime | None:
    """An instant; None when the text is none that could be compared with others."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _write(props: dict[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
    path = Path(props["path"])
    content = {key: props[key] for key in _CONTENT}
    content |= _history(props["color"], recorded, _read(path) or {})
    write_json(path, content | {"by": author(os.environ)})
    return plain(props) | content


def _history(
    color: str, recorded: Mapping[str, Any], flag: Mapping[str, Any]
) -> dict[str, str | None]:
    """Since when a color is active, and which one was before; the retention goes by it.

    Args:
        color: Who is active now.
        recorded: What the state has; empty when it has no flag.
        flag: What the file has; empty when it cannot tell.
    """
    before = recorded.get("color")
    sources = [recorded] if before == color else []
    # After an update that was killed once it had written, the file is ahead of the state.
    is_ahead = not before or flag.get("previous") == before
    if flag.get("color") == color and (before == color or is_ahead):
        sources.append(flag)
    for source in sources:
        if _moment(source.get("since")) is not None:
            return {"since": source["since"], "previous": source.get("previous")}
    # Without a color before there is no rollback target, and no retention to keep.
    left = recorded.get("previous") if before == color else before or flag.get("color")
    return {"since": _now(), "previous": left}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class ActiveFlag(LiveResource, module="onprem", name="ActiveFlag"):
    """Says which color is active, once traffic has been seen to follow."""

    color: pulumi.Output[str]
    """The active color."""

    since: pulumi.Output[str]
    """When this color became active, in UTC."""

    previous: pulumi.Output[str | None]
    """The color that was active before; None when no switch has happened yet."""

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
        }
        super().__init__(_Provider(), name, props | dict.fromkeys(_HISTORY), opts)


def flagged_color(path: Path) -> Color | None:
    """The color that a flag names; None where it is lost or does not say it."""
    flag = _read(path)
    return Color(flag["color"]) if flag else None


def last_switch(path: Path) -> datetime | None:
    """When the flag last went from one color to the other; None when it never did.

    Raises:
        DataPlaneError: The flag cannot be read, or does not say it.
    """
    remedy = "run `pulumi up` with nothing else changed, which writes it again"
    try:
        flag = read_json(path)
    except DataPlaneError as error:
        msg = f"{error}; {remedy}"
        raise DataPlaneError(msg) from error
    if flag is None:
        return None
    since = _moment(flag.get("since"))
    if since is None or not _is_whole(flag):
        msg = f"{path} does not say since when which color is active; {remedy}"
        raise DataPlaneError(msg)
    return since if flag.get("previous") else None
