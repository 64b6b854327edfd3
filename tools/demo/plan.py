"""What one demo is going to do: which stack, which ports, how much load, where results go."""

import os
import re
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from bluegreen.colors import Color
from bluegreen.settings import ServiceSettings
from tools.demo.errors import DemoError

__all__ = ["DEFAULT_RATE", "DEFAULT_SWITCHES", "PROJECT", "SERVICE", "DemoPlan"]

PROJECT = "bluegreen"
"""The Pulumi project in this repository, and so the namespace of its config."""

SERVICE = "shop"
"""The service in `stacks/Pulumi.local.yaml`."""

DEFAULT_RATE = 2000.0
"""Requests per second that two cores carry while `pulumi up` runs beside them."""

DEFAULT_SWITCHES = 6
"""Moves of traffic before the broken release is tried."""

_HIGHEST_RATE = 10_000.0
_STACK_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")

# A unix socket's path is short: HAProxy takes 97 bytes, supervisord 99 (see bluegreen/onprem).
_LONGEST_RUN_DIRECTORY = 99 - len("/supervisor.sock")
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./@+=:~-]*")


@dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """One demo; `DemoError` names what cannot be."""

    root: Path
    """The repository: holds `Pulumi.yaml` and `stacks/`."""

    into: Path
    """Where report, picture and logs go."""

    stack: str = "demo"
    first_port: int | None = None
    """First of the ports to use instead of those in `stacks/Pulumi.local.yaml`."""

    rate: float = DEFAULT_RATE
    """Requests per second."""

    switches: int = DEFAULT_SWITCHES
    """Moves of traffic before the broken release is tried."""

    keep: bool = False
    """True leaves everything running in the end."""

    picture_copy: Path | None = None
    """Where the picture goes besides."""

    def __post_init__(self) -> None:
        if not _STACK_NAME.fullmatch(self.stack):
            msg = f"stack {self.stack!r} must be lower-case letters, digits and hyphens; at most 30"
            raise DemoError(msg)
        if not 1 <= self.rate <= _HIGHEST_RATE:
            msg = f"rate {self.rate:g} is outside 1 to {_HIGHEST_RATE:g} requests per second"
            raise DemoError(msg)
        if not 1 <= self.switches <= 100:
            msg = f"{self.switches} switches are outside 1 to 100"
            raise DemoError(msg)

    @property
    def template(self) -> Path:
        """The config that the stack of the demo starts with."""
        return self.root / "stacks" / "Pulumi.local.yaml"

    @property
    def config_file(self) -> Path:
        """The config of the demo's stack; git ignores it."""
        return self.root / "stacks" / f"Pulumi.{self.stack}.yaml"

    @property
    def logs(self) -> Path:
        """What the commands print, one file a step."""
        return self.into / "logs"

    @property
    def report_file(self) -> Path:
        """The figures, for programs."""
        return self.into / "report.json"

    @property
    def picture_file(self) -> Path:
        """The figures, for people."""
        return self.into / "timeline.png"

    @cached_property
    def service(self) -> ServiceSettings:
        """The service as the demo runs it."""
        content = yaml.safe_load(self.template.read_text(encoding="utf-8"))
        written: dict[str, Any] = content["config"][f"{PROJECT}:service"]
        for path, port in self.moved_ports.items():
            *parents, key = path.split(".")[1:]
            place = written
            for parent in parents:
                place = place[parent]
            place[key] = port
        return ServiceSettings.model_validate(written)

    @property
    def moved_ports(self) -> dict[str, int]:
        """Config keys of ports that differ from the template's."""
        if self.first_port is None:
            return {}
        slots = 8
        return {
            "service.port": self.first_port,
            "service.onprem.test_port": self.first_port + 1,
            "service.onprem.member_ports.blue": self.first_port + 2,
            "service.onprem.member_ports.green": self.first_port + 2 + slots,
        }

    @property
    def ports(self) -> dict[int, str]:
        """Every port that must be free, and what for.

        The slots that stay empty, too: the proxy asks there for members, and would take whatever
        answers for one.
        """
        service = self.service
        frontends = {service.port: "production", service.onprem.test_port: "the test endpoint"}
        members = {
            port: f"a member of {color}"
            for color in Color
            for port in service.onprem.ports_of(color)
        }
        return frontends | members

    @property
    def production_url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self.service.port}"

    @property
    def test_url(self) -> str:
        """Reaches the idle color."""
        return f"http://127.0.0.1:{self.service.onprem.test_port}"

    @property
    def run_directory(self) -> Path:
        """Sockets, logs and map of the service while it runs."""
        return self.short_run_directory or self._default_run_directory

    @property
    def short_run_directory(self) -> Path | None:
        """Used where the checkout's own path is no good for a socket; None where it is."""
        default = str(self._default_run_directory)
        if len(os.fsencode(default)) <= _LONGEST_RUN_DIRECTORY and _PLAIN_PATH.fullmatch(default):
            return None
        return Path(tempfile.gettempdir(), f"bluegreen-{os.getuid()}-{self.stack}")

    @property
    def _default_run_directory(self) -> Path:
        return self.root / ".bluegreen" / "run" / PROJECT / self.stack / SERVICE
