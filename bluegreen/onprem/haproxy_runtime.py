"""Talks to a running HAProxy: reads and writes its map, counts its servers and sessions."""

import csv
import errno
import re
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem.traffic_map import map_word_problem

__all__ = ["BackendState", "HaproxyRuntime", "ProxyNotRunningError", "ServerState", "WorkerInfo"]

_LONGEST_UNIX_PATH = 107
"""Bytes of `sockaddr_un.sun_path` without its closing zero (unix(7))."""

_CHUNK_BYTES = 65536
_MOST_WRITES = 3
_SETTLE_POLL_SECONDS = 0.01
_REFUSALS = ("Unknown command", "Permission denied", "No such proxy", "Unknown map identifier")
_MAP_ENTRY = re.compile(r'found=yes, .*?key="(?P<key>[^"]*)", value="(?P<value>[^"]*)"')
_FORMER_WORKER = re.compile(r"^(\d+)\s+worker\s", re.MULTILINE)
# Until its first check a server says UP and INI: it takes traffic, but nobody has seen it answer.
_NOT_CHECKED_YET = frozenset({"", "INI", "UNK"})
# connect(2): no such socket, or one that nobody listens on any more.
_NOBODY_THERE = frozenset({errno.ENOENT, errno.ECONNREFUSED})
_UCRED = struct.Struct("3i")  # unix(7): pid, uid, gid
_FORCED_DRAIN = 0x08  # SRV_ADMF_FDRAIN in HAProxy's server-t.h


class ProxyNotRunningError(DataPlaneError):
    """Nobody listens at the address: no proxy is there, and none routes by what it was told."""


@dataclass(frozen=True, slots=True)
class BackendState:
    """What HAProxy knows about one backend at this moment."""

    servers_up: int
    """Servers whose latest health check passed; one that was not checked yet is not counted."""

    sessions: int
    """Requests in flight or queued; those that workers from before a reload still hold are among
    them where the runtime knows the master's socket."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """What HAProxy knows about one server slot at this moment."""

    is_up: bool
    """Whether it gets requests: its latest health check passed, and nobody drains it."""

    sessions: int
    """Requests that it is working on."""


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """The HAProxy process that answers: a reload brings another one."""

    pid: int
    uptime_seconds: int
    """Whole seconds since this worker began. For `timeout http-keep-alive` after a reload, an idle
    connection of the worker before may answer one more request by that worker's own map."""

    version: str


class HaproxyRuntime:
    """One HAProxy's runtime API (its `stats socket`); a connection per command, nothing is kept.

    Every failure is a `DataPlaneError` that names the address and what was not done; one of them,
    `ProxyNotRunningError`, says that nobody is there.
    """

    def __init__(
        self, address: str, timeout_seconds: float = 2.0, *, master_address: str | None = None
    ) -> None:
        """Takes where the API listens; connects to nothing yet.

        Args:
            address: path of a unix socket, or `host:port`.
            timeout_seconds: for one command as a whole: connect, send and the complete answer.
            master_address: the same of the master's own socket (`-S`); through it the requests are
                counted that workers from before a reload still hold.
        """
        self.address = address
        self._timeout_seconds = timeout_seconds
        self._target = _target(address)
        self._master = _Master(master_address, timeout_seconds) if master_address else None

    def command(self, line: str) -> str:
        """Sends one line and returns the answer without its closing line ends.

        Raises:
            DataPlaneError: no connection, no complete answer in time, or HAProxy says that it
                does not know or does not allow the command.
        """
        if not line.strip() or "\n" in line:
            msg = f"a runtime command must be one line that is not empty, not {line!r}"
            raise ConfigError([msg])
        answer = self._exchange(line)
        if answer.startswith(_REFUSALS):
            raise self._refused(line, answer)
        return answer

    def map_value(self, map_path: str, key: str) -> str | None:
        """Returns what the running map says for a key, None when it has no such key."""
        line = _get_map(map_path, key)
        return self._value_in(line, self.command(line), key)

    def set_map(self, map_path: str, key: str, value: str) -> float:
        """Changes the running map, reads it back, and returns the write's milliseconds.

        Memory only: write the map file first, or the next reload brings back what it says. A
        reload that read the file just before may still undo the write: see `settle_map`.
        """
        _word("value", value)
        for _ in range(_MOST_WRITES):
            verb = "add" if self.map_value(map_path, key) is None else "set"
            line = f"{verb} map {map_path} {key} {value}"
            started = time.perf_counter()
            answer = self._exchange(line)
            milliseconds = (time.perf_counter() - started) * 1000
            if answer:
                raise self._refused(line, answer)
            found = self.map_value(map_path, key)
            if found == value:
                return milliseconds
        msg = (
            f"haproxy at {self.address} took {line!r} but still says {found!r}; "
            f"something else writes this map or reloads haproxy; stop it and run again"
        )
        raise DataPlaneError(msg)

    def settle_map(self, map_path: str, key: str, value: str, seconds: float = 0.25) -> int:
        """Watches that a value that was just set stays, and returns how often it was set again.

        A reload that was under way at the switch may have read the map file just before it was
        written: its worker then arrives with the value before. Only such a young worker is put
        right.

        Args:
            map_path: the map, as for `set_map`.
            key: the key that was set.
            value: what it was set to.
            seconds: how long to watch; longer than HAProxy takes from reading its configuration
                to serving (about 40 ms for one service).

        Raises:
            DataPlaneError: the value was changed by somebody else.
        """
        line = f"{_get_map(map_path, key)}; show info"
        end = time.monotonic() + seconds
        repairs = 0
        while True:
            # One connection for both answers, so that they come from the same worker.
            answer = self.command(line)
            found = self._value_in(line, answer, key)
            if found != value:
                self._check_is_young(self._worker_in(line, answer), found, seconds)
                self.set_map(map_path, key, value)
                repairs += 1
            if time.monotonic() >= end:
                return repairs
            time.sleep(_SETTLE_POLL_SECONDS)

    def backend(self, name: str) -> BackendState:
        """Returns a backend's checked servers and present sessions."""
        line = f"show stat {name} 6 -1"  # 6 = backends (2) + servers (4), -1 = all of them
        rows = self._rows(name, line)
        try:
            (total,) = (row for row in rows if row["svname"] == "BACKEND")
            return BackendState(
                servers_up=sum(map(_is_up, (row for row in rows if row["svname"] != "BACKEND"))),
                sessions=int(total["scur"]) + self._former_sessions(name)["BACKEND"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise self._refused(line, str(rows)) from error

    def servers(self, name: str) -> dict[str, ServerState]:
        """Returns the servers of a backend by their names."""
        line = f"show stat {name} 4 -1"
        rows = self._rows(name, line)
        former = self._former_sessions(name)
        try:
            return {
                row["svname"]: ServerState(_is_up(row), int(row["scur"]) + former[row["svname"]])
                for row in rows
            }
        except (KeyError, TypeError, ValueError) as error:
            raise self._refused(line, str(rows)) from error

    def drained_servers(self, name: str) -> list[str]:
        """Returns the servers of a backend that were told to take no new requests."""
        line = f"show servers state {name}"
        _, _, table = self.command(line).partition("\n# ")
        try:
            rows = list(csv.DictReader(table.splitlines(), delimiter=" "))
            return [row["srv_name"] for row in rows if int(row["srv_admin_state"]) & _FORCED_DRAIN]
        except (KeyError, TypeError, ValueError) as error:
            raise self._refused(line, table) from error

    def set_server(self, backend: str, server: str, *changes: str) -> None:
        """Changes a server at once, for example `state drain`; a reload forgets it.

        Raises:
            DataPlaneError: HAProxy did not do it.
        """
        line = "; ".join(f"set server {backend}/{server} {change}" for change in changes)
        answer = self._exchange(line)
        if answer:
            raise self._refused(line, answer)

    def _former_sessions(self, name: str) -> Counter[str]:
        """What workers from before a reload still hold, by server, and of `BACKEND` as a whole."""
        found: Counter[str] = Counter()
        for pid in self._former_workers():
            for row in _table(self._of_former_worker(pid, f"show stat {name} 6 -1")):
                # One that has ended meanwhile holds nothing, and has no such row.
                found[row.get("svname", "")] += int(row.get("scur") or 0)
        return found

    def _of_former_worker(self, pid: int, line: str) -> str:
        """What a worker from before a reload answers; nothing once it has ended."""
        end = time.monotonic() + self._timeout_seconds
        while self._master:
            try:
                return self._master.command(f"@!{pid} {line}")
            except DataPlaneError:
                # While it ends it answers nobody, and the master does not yet know of it.
                if pid not in self._former_workers():
                    break
                if time.monotonic() >= end:
                    raise
                time.sleep(_SETTLE_POLL_SECONDS)
        return ""

    def _former_workers(self) -> list[int]:
        try:
            processes = self._master.command("show proc") if self._master else ""
        except ProxyNotRunningError:
            # A proxy that was started without one.
            return []
        _, _, former = processes.partition("# old workers")
        return [int(pid) for pid in _FORMER_WORKER.findall(former.partition("# programs")[0])]

    def _rows(self, name: str, line: str) -> list[dict[str, str]]:
        """The rows of `show stat` for a backend."""
        try:
            answer = self.command(line)
        except _NoSuchProxyError as error:
            msg = f"haproxy at {self.address} has no backend {name!r}; nothing was read or changed"
            raise DataPlaneError(msg) from error
        return _table(answer)

    def worker(self) -> WorkerInfo:
        """Returns which process answers, and since when."""
        line = "show info"
        return self._worker_in(line, self.command(line))

    def worker_pid(self) -> int:
        """Returns the process id of the worker that answers; a reload changes it."""
        return self.worker().pid

    def listener_pid(self) -> int | None:
        """Returns which process has opened the socket; None when that cannot be told."""
        with socket.socket(self._target[0]) as connection:
            connection.settimeout(self._timeout_seconds)
            try:
                connection.connect(self._target[1])
                peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
            except OSError:
                return None
        pid: int = _UCRED.unpack(peer)[0]
        return pid or None

    def _value_in(self, line: str, answer: str, key: str) -> str | None:
        found = _MAP_ENTRY.search(answer)
        if found and found["key"] == key:
            return found["value"]
        if "found=no" in answer:
            return None
        raise self._refused(line, answer)

    def _worker_in(self, line: str, answer: str) -> WorkerInfo:
        pairs = (text.partition(":") for text in answer.splitlines())
        info = {name.strip(): text.strip() for name, _, text in pairs}
        try:
            return WorkerInfo(int(info["Pid"]), int(info["Uptime_sec"]), info["Version"])
        except (KeyError, ValueError) as error:
            raise self._refused(line, answer) from error

    def _check_is_young(self, worker: WorkerInfo, found: str | None, seconds: float) -> None:
        # Its uptime is in whole seconds, rounded down.
        if worker.uptime_seconds > seconds + 1:
            msg = (
                f"haproxy at {self.address} says {found!r} right after a switch and was not "
                f"reloaded; somebody else wrote it; find out who, then run again"
            )
            raise DataPlaneError(msg)

    def _exchange(self, line: str) -> str:
        deadline = time.monotonic() + self._timeout_seconds
        with socket.socket(self._target[0]) as connection:
            self._connect(connection, line)
            try:
                self._send(connection, line)
                answer = _read(connection, deadline)
            except TimeoutError as error:
                msg = f"did not answer within {self._timeout_seconds:g} s"
                raise self._unanswered(line, msg) from error
            except OSError as error:
                raise self._unanswered(line, f"broke off: {_reason(error)}") from error
        if not answer:
            raise self._unanswered(line, "closed the connection without an answer")
        return answer.decode("utf-8", errors="replace").strip("\n")

    def _send(self, connection: socket.socket, line: str) -> None:
        connection.sendall(line.encode() + b"\n")

    def _connect(self, connection: socket.socket, line: str) -> None:
        connection.settimeout(self._timeout_seconds)
        try:
            connection.connect(self._target[1])
        except OSError as error:
            msg = (
                f"cannot reach haproxy at {self.address}: {_reason(error)}; {line!r} was not "
                f"done; check that haproxy runs and has this `stats socket`"
            )
            kind = ProxyNotRunningError if error.errno in _NOBODY_THERE else DataPlaneError
            raise kind(msg) from error

    def _unanswered(self, line: str, what: str) -> DataPlaneError:
        return DataPlaneError(
            f"haproxy at {self.address} {what}; whether {line!r} was done is not known; "
            f"check that haproxy answers there and run again, which reads before it writes"
        )

    def _refused(self, line: str, answer: str) -> DataPlaneError:
        first = answer.splitlines()[0] if answer else ""
        kind = _NoSuchProxyError if first.startswith("No such proxy") else DataPlaneError
        return kind(
            f"haproxy at {self.address} answered {line!r} with {first[:200]!r}; it was not done; "
            f"check that it has this name and that its `stats socket` has level admin"
        )


class _Master(HaproxyRuntime):
    """The master's own socket: it closes a connection only when we have said that we are done."""

    def _send(self, connection: socket.socket, line: str) -> None:
        super()._send(connection, line)
        connection.shutdown(socket.SHUT_WR)


class _NoSuchProxyError(DataPlaneError):
    """HAProxy has no frontend or backend of that name."""


def _target(address: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    if "/" in address:
        if len(address.encode()) > _LONGEST_UNIX_PATH:
            msg = (
                f"socket path {address!r} has {len(address.encode())} bytes; "
                f"the limit is {_LONGEST_UNIX_PATH}"
            )
            raise ConfigError([msg])
        return socket.AF_UNIX, str(Path(address))
    host, _, port = address.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port):
        msg = f"haproxy address {address!r} must be the path of a unix socket or host:port"
        raise ConfigError([msg])
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    return family, (host.strip("[]"), int(port))


def _get_map(map_path: str, key: str) -> str:
    return f"get map {_word('path', map_path)} {_word('key', key)}"


def _word(kind: str, word: str) -> str:
    problem = map_word_problem(kind, word)
    if problem:
        raise ConfigError([problem])
    return word


def _read(connection: socket.socket, deadline: float) -> bytes:
    chunks: list[bytes] = []
    # A per-read timeout alone would let a peer that drips bytes hold us for ever.
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        chunk = connection.recv(_CHUNK_BYTES)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
    raise TimeoutError


def _table(answer: str) -> list[dict[str, str]]:
    return list(csv.DictReader(answer.strip("\n").removeprefix("# ").splitlines()))


def _is_up(row: dict[str, str]) -> bool:
    # `UP`, or `UP 2/3` on its way down; `* L7OK` while the next check is running.
    return row["status"].startswith("UP") and (
        row["check_status"].removeprefix("* ") not in _NOT_CHECKED_YET
    )


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
