"""Changes single values in the config file of a stack, and leaves every other byte as it is."""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bluegreen.operations.outcome import RefusedError

__all__ = ["ConfigEdit", "Value", "edit_config", "edited_text", "restore_config"]

Value = str | int | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConfigEdit:
    """What was written over a file, so that it can be taken back."""

    path: Path
    before: str
    after: str
    changes: Mapping[str, Value | None]
    """By dotted key below the namespace; None took it out."""

    namespace: str

    @property
    def is_nothing(self) -> bool:
        """True when the file already said all of it."""
        return self.before == self.after


def edit_config(path: Path, namespace: str, changes: Mapping[str, Value | None]) -> ConfigEdit:
    """Sets values in the file, and takes some out; a reader sees the old file or the new one.

    Args:
        path: The config file of the stack.
        namespace: Of the keys: the project's name.
        changes: Values by dotted key, such as `canary.percent`. A mapping is only written where
            the key is not there yet; None takes the key out with all that is below it.

    Raises:
        RefusedError: It cannot be read, written or changed like that; it is as it was.
    """
    try:
        before = _read(path)
        after = edited_text(before, namespace, changes)
        if after != before:
            _replace(path, after)
    except OSError as error:
        msg = f"{path} cannot be changed: {error.strerror}; nothing was changed"
        raise RefusedError(msg) from error
    return ConfigEdit(path, before, after, changes, namespace)


def restore_config(edit: ConfigEdit) -> str | None:
    """Takes an edit back; what somebody else has written meanwhile stays.

    Returns:
        What is left to be done by hand, or could not be told; None when the file is as it was.
    """
    try:
        now = _read(edit.path)
        if now == edit.after:
            _replace(edit.path, edit.before)
            return None
        _replace(edit.path, edited_text(now, edit.namespace, _values_before(edit, now)))
    except (OSError, RefusedError) as error:
        keys = ", ".join(edit.changes)
        return f"{edit.path} could not be put back ({error}); look at {keys} in it"
    return f"{edit.path} was changed by somebody else meanwhile; only our own values were put back"


def _values_before(edit: ConfigEdit, now: str) -> dict[str, Value]:
    """The old values of the keys that still have what we wrote."""
    old, mine, present = (yaml.safe_load(text)["config"] for text in (edit.before, edit.after, now))
    values: dict[str, Value] = {}
    for key in edit.changes:
        steps = _steps(edit.namespace, key)
        before, still = _at(old, steps), _at(present, steps) == _at(mine, steps)
        was_taken_out = edit.changes[key] is None and before is not None
        if still and (isinstance(before, str | int) or was_taken_out):
            values[key] = before
    return values


def _at(content: Any, steps: list[str]) -> Any:  # noqa: ANN401  # what YAML has
    for step in steps:
        content = content.get(step) if isinstance(content, dict) else None
    return content


def _steps(namespace: str, key: str) -> list[str]:
    first, *rest = key.split(".")
    return [f"{namespace}:{first}", *rest]


def edited_text(text: str, namespace: str, changes: Mapping[str, Value | None]) -> str:
    """The text of a config file with other values in it.

    Raises:
        RefusedError: It has a form in which that cannot be done safely.
    """
    try:
        wanted = _unshared(yaml.safe_load(text))
        for key, value in changes.items():
            steps = _steps(namespace, key)
            place = wanted["config"]
            if value is None:
                text = _removed(text, ["config", *steps])
                (_at(place, steps[:-1]) or {}).pop(steps[-1], None)
                continue
            text = _set(text, ["config", *steps], value)
            for step in steps[:-1]:
                place = place.setdefault(step, {})
            place[steps[-1]] = value
        is_right = yaml.safe_load(text) == wanted
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        msg = f"the config file cannot be understood: {error}; nothing was changed"
        raise RefusedError(msg) from error
    if not is_right:
        keys = ", ".join(f"{namespace}:{key}" for key in changes)
        msg = (
            f"the config file is written in a way in which {keys} cannot be set without touching "
            "something else (an alias?); nothing was changed; set it by hand and run `pulumi up`"
        )
        raise RefusedError(msg)
    return text


def _unshared(content: Any) -> Any:  # noqa: ANN401  # what YAML has
    """A copy in which what an alias repeats stands twice."""
    if isinstance(content, dict):
        return {key: _unshared(value) for key, value in content.items()}
    return [_unshared(each) for each in content] if isinstance(content, list) else content


def _set(text: str, steps: list[str], value: Value) -> str:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, step in enumerate(steps):
        if not isinstance(node, yaml.MappingNode):
            msg = f"{'.'.join(steps[:depth])} holds no keys"
            raise TypeError(msg)
        found = next((each for key, each in node.value if key.value == step), None)
        if found is None:
            nested: Value = value
            for inner in reversed(steps[depth + 1 :]):
                nested = {inner: nested}
            return _inserted(text, node, step, nested)
        node = found
    if not isinstance(node, yaml.ScalarNode) or isinstance(value, Mapping):
        msg = f"{'.'.join(steps)} is no single value"
        raise TypeError(msg)
    return text[: node.start_mark.index] + _scalar(value) + text[node.end_mark.index :]


def _removed(text: str, steps: list[str]) -> str:
    """The text without the lines of one key; what stands in one line with others is not touched."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    start = 0
    for step in steps:
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            return text
        place = next((at for at, (key, _) in enumerate(node.value) if key.value == step), None)
        if place is None:
            return text
        key, node = node.value[place]
        start = key.start_mark.index - key.start_mark.column
    return text[:start] + text[_end_of_lines(text, node) :] if node else text


def _inserted(text: str, parent: yaml.MappingNode, key: str, value: Value) -> str:
    """The text with one more key at the end of a mapping."""
    if parent.flow_style:
        end = parent.end_mark.index - 1
        comma = ", " if parent.value else ""
        return f"{text[:end].rstrip()}{comma}{key}: {_flow(value)}{text[end:]}"
    indent = " " * parent.value[0][0].start_mark.column
    end = _end_of_lines(text, parent.value[-1][1])
    head = text[:end] if text[:end].endswith("\n") else f"{text[:end]}\n"
    return head + "".join(f"{line}\n" for line in _lines(key, value, indent)) + text[end:]


def _end_of_lines(text: str, node: yaml.Node) -> int:
    """Where the line after a value begins; comments and empty lines behind it are not its."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        final = node.value[-1]
        node = final[1] if isinstance(final, tuple) else final
    end = node.end_mark.index
    if not node.end_mark.column and end:
        return end
    line_end = text.find("\n", end)
    return len(text) if line_end < 0 else line_end + 1


def _lines(key: str, value: Value, indent: str) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{indent}{key}: {_scalar(value)}"]
    inner = [line for name, each in value.items() for line in _lines(name, each, f"{indent}  ")]
    return [f"{indent}{key}:", *inner]


def _flow(value: Value) -> str:
    return json.dumps(value) if isinstance(value, Mapping) else _scalar(value)


def _scalar(value: str | int) -> str:
    """A word as it is; else in quotes, so that 1.10 stays a text."""
    is_word = isinstance(value, int) or (value.isalpha() and isinstance(yaml.safe_load(value), str))
    return str(value) if is_word else json.dumps(value, ensure_ascii=False)


def _read(path: Path) -> str:
    # Line ends as they are: they are written back.
    return path.read_bytes().decode("utf-8")


def _replace(path: Path, text: str) -> None:
    # A link stays one: what it points to is replaced.
    target = path.resolve()
    descriptor, part = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        Path(part).chmod(target.stat().st_mode & 0o777)
        Path(part).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(part).unlink()
        raise
