"""The one value that says where production traffic goes, and the file that survives a restart.

One key per service, one value for both frontends: `<active backend>,<idle backend>,<percent>`.
Two keys could not be changed in the same instant; one value can. HAProxy keeps its map in memory
and reads the file only when it starts or reloads, so a switch writes the file first and the
memory second: whatever dies in between comes back with the color that was asked for.
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bluegreen.colors import Color
from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem.private_files import replace_file, sync_directory, takes_lock
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["NOTHING_IS_LIVE", "MapFile", "RoutedTraffic", "map_word_problem"]

NOTHING_IS_LIVE = "none,none,0"
"""The value before the first switch: production answers 503, the test endpoint pins only."""

_LARGEST_CANARY_PERCENT = 99
_PERCENT = re.compile(r"0|[1-9][0-9]?")
_BACKEND_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
# Stricter than the file format: the same words travel through a runtime command, where a space
# ends an argument, `;` starts another command and a backslash escapes.
_MAP_WORD = re.compile(r"[A-Za-z0-9_.,:/%@+=~-]+")
_ENTRY = re.compile(r"[ \t]*(?P<key>[^ \t\r]+)[ \t]*(?P<value>.*?)[ \t\r]*")
_LOCK_TIMEOUT_SECONDS = 5.0
_NOT_SWITCHED = "the switch did not happen and production traffic has not moved"


def map_word_problem(kind: str, word: str) -> str | None:
    """Says why a key, a value or a map's path cannot go to a HAProxy map, or None when it can."""
    if _MAP_WORD.fullmatch(word):
        return None
    return (
        f"map {kind} {word!r} must be one word of letters, digits and any of _ . , : / % @ + = ~ -"
    )


@dataclass(frozen=True)
class RoutedTraffic:
    """Translates between who gets which share of traffic and the one value HAProxy reads."""

    backends: Mapping[Color, str]
    """HAProxy's backend of each color, for example `shop-blue`; fixed for life."""

    def __post_init__(self) -> None:
        problems = [
            f"backend name of {color} {name!r} must be letters, digits and any of _ . : -"
            for color, name in self.backends.items()
            if not _BACKEND_NAME.fullmatch(name)
        ]
        problems += [
            f"color {color} has no backend" for color in Color if color not in self.backends
        ]
        if len(set(self.backends.values())) < len(self.backends):
            problems.append(f"both colors have the backend {self.backends[Color.BLUE]!r}")
        if problems:
            raise ConfigError(problems)

    @classmethod
    def of_service(cls, service: str) -> "RoutedTraffic":
        """The backends of a service under the names that `HaproxyConfig` gives them."""
        return cls({color: f"{service}-{color}" for color in Color})

    def encode(self, route: Route) -> str:
        """Returns the map value for an active color and the shares of both.

        Raises:
            ConfigError: the active color gets nothing; then the other one is the active one.
        """
        active = route.active
        percent = route.split.share_of(active.other)
        if percent > _LARGEST_CANARY_PERCENT:
            msg = (
                f"the active color {active} gets nothing of {route.split}; a canary is 0 to "
                f"{_LARGEST_CANARY_PERCENT} percent, the rest is a switch to {active.other}"
            )
            raise ConfigError([msg])
        return f"{self.backends[active]},{self.backends[active.other]},{percent}"

    def decode(self, value: str) -> Route | None:
        """Returns the active color and the shares that a map value stands for.

        Returns:
            None for the value before the first switch, `none,none,0`.

        Raises:
            DataPlaneError: the value is none that `encode` writes for these backends.
        """
        if value == NOTHING_IS_LIVE:
            return None
        active_name, _, rest = value.partition(",")
        idle_name, _, percent = rest.partition(",")
        for color in Color:
            names_fit = (active_name, idle_name) == (
                self.backends[color],
                self.backends[color.other],
            )
            if names_fit and _PERCENT.fullmatch(percent):
                return Route(color, TrafficSplit.with_canary(color, int(percent)))
        names = " and ".join(self.backends[color] for color in Color)
        msg = (
            f"the traffic map says {value!r}, expected '<active>,<idle>,<0 to "
            f"{_LARGEST_CANARY_PERCENT}>' of the backends {names}; {_NOT_SWITCHED}; "
            f"find out who wrote it"
        )
        raise DataPlaneError(msg)


@dataclass(frozen=True)
class MapFile:
    """HAProxy's map on disk: what a restarted or reloaded HAProxy starts from."""

    path: Path
    """A file of lines `<key> <value>`; lines that start with `#` are comments."""

    def read(self, key: str) -> str | None:
        """Returns the value of a key, None when the file or the key is not there.

        Raises:
            DataPlaneError: the file cannot be read.
        """
        entries = (_entry_of(line) for line in self._lines())
        return next((entry[1] for entry in entries if entry and entry[0] == key), None)

    def write(self, key: str, value: str) -> None:
        """Sets one key for good: on return it survives a crash of the machine.

        Other keys and comments stay, also those that another writer adds at the same time.

        Raises:
            ConfigError: the key or the value cannot stand in a map.
            DataPlaneError: the file could not be replaced; it still holds what it held.
        """
        problems = [map_word_problem("key", key), map_word_problem("value", value)]
        if any(problems):
            raise ConfigError(problem for problem in problems if problem)
        with self._locked():
            text = _with_entry(self._lines(), key, value)
            target = self.path.resolve()
            try:
                replace_file(target, text, lambda descriptor: _copy_ownership(target, descriptor))
            except OSError as error:
                raise self._not_written(error) from error
            self._sync_directory()

    def _lines(self) -> list[str]:
        try:
            # Other people's comments may be in any encoding and are written back as they were.
            text = self.path.read_text(encoding="utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return []
        except OSError as error:
            msg = f"cannot read the traffic map {self.path}: {_reason(error)}; {_NOT_SWITCHED}"
            raise DataPlaneError(msg) from error
        return text.removesuffix("\n").split("\n") if text else []

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        # The map itself cannot carry the lock: every write replaces it by another file.
        lock_path = self.path.with_name(self.path.name + ".lock")
        try:
            descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._not_written(error) from error
        try:
            if not takes_lock(descriptor, _LOCK_TIMEOUT_SECONDS):
                msg = (
                    f"cannot write the traffic map {self.path}: another process has held "
                    f"{lock_path} for {_LOCK_TIMEOUT_SECONDS:g} s; {_NOT_SWITCHED}"
                )
                raise DataPlaneError(msg)
            yield
        finally:
            os.close(descriptor)

    def _not_written(self, error: OSError) -> DataPlaneError:
        return DataPlaneError(
            f"cannot write the traffic map {self.path}: {_reason(error)}; {_NOT_SWITCHED}; "
            f"repair that and run `pulumi up` again"
        )

    def _sync_directory(self) -> None:
        try:
            sync_directory(self.path.resolve().parent)
        except OSError as error:
            msg = (
                f"wrote the traffic map {self.path}, but its directory could not be synced: "
                f"{_reason(error)}; a power loss may bring back the value before; "
                f"production traffic has not moved, run `pulumi up` again"
            )
            raise DataPlaneError(msg) from error


def _entry_of(line: str) -> tuple[str, str] | None:
    # As HAProxy reads it: only a `#` in the very first column makes a comment.
    found = None if line.startswith("#") else _ENTRY.fullmatch(line)
    return (found["key"], found["value"]) if found else None


def _with_entry(lines: list[str], key: str, value: str) -> str:
    """Returns the file's text with one entry of that key, in the place of its first one."""
    entry = f"{key} {value}"
    kept: list[str] = []
    for line in lines:
        old = _entry_of(line)
        if old is None or old[0] != key:
            kept.append(line)
        elif entry not in kept:
            kept.append(entry)
    if entry not in kept:
        kept.append(entry)
    return "\n".join(kept) + "\n"


def _copy_ownership(path: Path, descriptor: int) -> None:
    # HAProxy may read the map as another user; a replaced file must stay readable to it.
    try:
        old = path.stat()
    except FileNotFoundError:
        return
    new = os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
