"""The ways to switch that are compared: ours, and those that people write by hand today."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.stack import SERVICE, BenchmarkError
from bluegreen.colors import Color
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.orphans import ends_within
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.traffic_map import MapFile, RoutedTraffic
from bluegreen.traffic import Route, TrafficSplit

__all__ = [
    "HaproxyNewProcess",
    "HaproxySignal",
    "MemberPorts",
    "Nginx",
    "OurWrite",
    "Proxy",
    "find_haproxy",
]

MemberPorts = Mapping[Color, Sequence[int]]
"""Where the members of each color listen: the same processes for every proxy."""

_COMMAND_SECONDS = 20.0
_END_SECONDS = 5.0


class Proxy(Protocol):
    """One way to switch, with its command."""

    @property
    def name(self) -> str:
        """What it is called in the tables."""

    @property
    def url(self) -> str:
        """Where clients go."""

    def start(self, color: Color) -> None:
        """Serves, with all traffic to a color."""

    def switch(self, color: Color) -> None:
        """Moves all traffic; returns when the command that people type returns."""

    def stop(self) -> None:
        """Ends everything that was started."""


@dataclass
class OurWrite:
    """The router's write without Pulumi around it: the file that lasts, then the proxy."""

    url: str
    run: RunDirectory
    _first: Color | None = None
    name: str = "bluegreen, the write"

    def start(self, color: Color) -> None:
        """The proxy runs with the stack; its traffic goes to the active color."""
        self._first = color

    def switch(self, color: Color) -> None:
        """What the router's provider does, up to the reading back."""
        path = self.run.traffic_map
        value = RoutedTraffic.of_service(SERVICE).encode(Route(color, TrafficSplit.all_to(color)))
        MapFile(path).write(SERVICE, value)
        HaproxyRuntime(str(self.run.stats_socket)).set_map(str(path), SERVICE, value)

    def stop(self) -> None:
        """Gives the traffic back to the color that the stack knows of."""
        if self._first is not None:
            self.switch(self._first)


@dataclass
class _HandWritten:
    """A proxy of its own beside the stack, before the same members."""

    binary: str
    directory: Path
    port: int
    members: MemberPorts

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        """What a switch edits."""
        return self.directory / "proxy.cfg"

    def stop(self) -> None:
        """Ends every process of it: an old one may still wait for its clients."""
        while pids := _processes_of(self.config):
            for pid in pids:
                _end(pid)


@dataclass
class _HandWrittenHaproxy(_HandWritten):
    """HAProxy with `default_backend`, which a switch edits before it reloads."""

    careful: bool = False
    """With what the manual has for reloads, and hand-written configs mostly lack."""

    @property
    def socket(self) -> Path:
        """The runtime API of the careful config."""
        return self.directory / "stats.sock"

    def write(self, color: Color) -> None:
        """The whole file; what differs between two colors is one line."""
        self.config.write_text(
            _haproxy_config(self.port, self.members, color, self.socket if self.careful else None),
            encoding="utf-8",
        )

    @property
    def _suffix(self) -> str:
        return ", tuned" if self.careful else ""


@dataclass
class HaproxyNewProcess(_HandWrittenHaproxy):
    """`sed`, then `haproxy -D -sf <old pid>`: a new process tells the old one to finish."""

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        return f"HAProxy -sf{self._suffix}"

    def start(self, color: Color) -> None:
        """A daemon."""
        self.write(color)
        self._launch()

    def switch(self, color: Color) -> None:
        """Returns when the new process serves and the old one has been told."""
        self.write(color)
        of_socket = ("-x", str(self.socket)) if self.careful else ()
        self._launch(*of_socket, "-sf", self._pid_file.read_text().strip())

    @property
    def _pid_file(self) -> Path:
        return self.directory / "proxy.pid"

    def _launch(self, *words: str) -> None:
        _type(self.binary, "-D", "-f", str(self.config), "-p", str(self._pid_file), *words)


@dataclass
class HaproxySignal(_HandWrittenHaproxy):
    """`sed`, then a reload of the master: what `systemctl reload haproxy` does."""

    _master: "subprocess.Popen[bytes] | None" = None

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        return f"HAProxy SIGUSR2{self._suffix}"

    def start(self, color: Color) -> None:
        """A master in the foreground, as systemd starts it."""
        self.write(color)
        with (self.directory / "proxy.log").open("ab") as log:
            self._master = subprocess.Popen(
                [self.binary, "-W", "-db", "-f", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def switch(self, color: Color) -> None:
        """Checks the file as Debian's unit does; returns when the signal is sent."""
        self.write(color)
        _type(self.binary, "-c", "-q", "-f", str(self.config))
        assert self._master is not None  # it was started
        self._master.send_signal(signal.SIGUSR2)

    def stop(self) -> None:
        """The master ends its workers."""
        if self._master is not None:
            self._master.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._master.wait(_END_SECONDS)
        super().stop()
        if self._master is not None:
            self._master.wait()


@dataclass
class Nginx(_HandWritten):
    """A changed `upstream`, then `nginx -s reload`."""

    name: str = "nginx -s reload"

    def start(self, color: Color) -> None:
        """A daemon of its own, not the system's service."""
        self._write(color)
        self._type()

    def switch(self, color: Color) -> None:
        """Returns when the signal is sent."""
        self._write(color)
        self._type("-s", "reload")

    def _write(self, color: Color) -> None:
        text = _nginx_config(self.directory, self.port, self.members[color])
        self.config.write_text(text, encoding="utf-8")

    def _type(self, *words: str) -> None:
        log = str(self.directory / "error.log")
        where = ("-p", str(self.directory), "-e", log, "-c", str(self.config))
        _type(self.binary, *where, *words)


def find_haproxy() -> str:
    """The binary; `make setup` installs it."""
    found = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        msg = "haproxy is not installed; run `make bench`, which installs it"
        raise BenchmarkError(msg)
    return found


def _haproxy_config(port: int, members: MemberPorts, color: Color, socket: Path | None) -> str:
    # A socket by itself changes nothing for clients; without `expose-fd` nothing is handed over.
    of_global = (
        f"  stats socket {socket} mode 600 level admin expose-fd listeners" if socket else ""
    )
    of_defaults = "  option idle-close-on-response" if socket else ""
    backends = "\n".join(_haproxy_backend(each, members[each]) for each in Color)
    return f"""\
global
{of_global}

defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 10s
{of_defaults}

frontend {SERVICE}
  bind 127.0.0.1:{port}
  default_backend {color}

{backends}
"""


def _haproxy_backend(color: Color, ports: Sequence[int]) -> str:
    servers = "\n".join(f"  server {color}-{port} 127.0.0.1:{port} check" for port in ports)
    return f"""\
backend {color}
  balance roundrobin
  option httpchk GET /health/ready
{servers}
"""


def _nginx_config(directory: Path, port: int, ports: Sequence[int]) -> str:
    servers = "\n".join(f"    server 127.0.0.1:{each};" for each in ports)
    temporary = "\n".join(
        f"  {kind}_temp_path {directory}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""\
worker_processes auto;
pid {directory}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
{temporary}
  upstream {SERVICE} {{
{servers}
    keepalive 32;
  }}
  server {{
    listen 127.0.0.1:{port};
    keepalive_timeout 10s;
    location / {{
      proxy_pass http://{SERVICE};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


def _type(*words: str) -> None:
    # A daemon keeps what it inherits: a pipe would never end.
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    if done.returncode:
        msg = f"`{' '.join(words)}` ended with {done.returncode}; its figures would say nothing"
        raise BenchmarkError(msg)


def _processes_of(config: Path) -> list[int]:
    """Who was started with a file: in a temporary directory, so nobody else was."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            if os.fsencode(config) in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def _end(pid: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if ends_within(pid, _END_SECONDS):
            return
