"""What only the on-premises platform needs to know."""

import ipaddress
import json
import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bluegreen.colors import Color
from bluegreen.settings.base import MisfitError, SettingsModel
from bluegreen.settings.member import MemberCommand

__all__ = ["MOST_SLOTS", "BindAddress", "FirstPorts", "OnPremSettings"]

MOST_SLOTS = 100
"""Each is health-checked for ever, also when it is empty."""

_LARGEST_PORT = 65535
_FILE_PATH = r"^[^\x00-\x1f]+$"
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def _legal_address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        is_legal = _HOST_NAME.fullmatch(text) is not None
    else:
        # A scope (`fe80::1%eth0`) may hold any text.
        is_legal = "%" not in text
    if not is_legal:
        msg = f"{json.dumps(text)} is not an IP address or a host name"
        raise ValueError(msg)
    return text


BindAddress = Annotated[str, AfterValidator(_legal_address)]
"""Address of this machine, or a name for one."""


class FirstPorts(SettingsModel):
    """The first member port of each color; member N listens on the first port + N."""

    blue: int = Field(default=18100, ge=1024, le=65535)
    """First port of the blue members."""

    green: int = Field(default=18200, ge=1024, le=65535)
    """First port of the green members."""


class OnPremSettings(SettingsModel):
    """Processes of this machine behind an embedded HAProxy."""

    command: MemberCommand | None = None
    """Command of one member, without a shell; `{port}`, `{color}`, `{release}` and `{index}` are
    filled in. A color's own `command` goes first."""

    directory: str | None = Field(default=None, pattern=_FILE_PATH)
    """Working directory of the members; relative to the project. Default: the project itself."""

    bind_address: BindAddress = "127.0.0.1"
    """Address of the production frontend; closed to other machines by default."""

    test_port: int = Field(default=18443, ge=1024, le=65535)
    """Port of the test frontend, which always listens on 127.0.0.1 only."""

    member_ports: FirstPorts = Field(default_factory=FirstPorts)
    """Where the members listen, on 127.0.0.1."""

    slots: int = Field(default=8, ge=1, le=MOST_SLOTS)
    """Server slots of each color in the proxy, made once: the largest number of replicas."""

    run_directory: str | None = Field(default=None, pattern=_FILE_PATH)
    """Sockets, logs, map and flag; relative to the project. Default:
    `.bluegreen/run/<project>/<stack>/<service>`."""

    start_timeout_seconds: float = Field(default=60.0, gt=0, le=3600)
    """Seconds a member may take to become ready."""

    def ports_of(self, color: Color) -> tuple[int, ...]:
        """The ports of a color's slots, one each."""
        first = self.member_ports.blue if color is Color.BLUE else self.member_ports.green
        return tuple(range(first, first + self.slots))

    @model_validator(mode="after")
    def _slots_do_not_overlap(self) -> Self:
        blue, green = (set(self.ports_of(color)) for color in Color)
        if blue & green:
            msg = (
                f"member_ports blue {self.member_ports.blue} and green {self.member_ports.green} "
                f"are less than slots {self.slots} apart"
            )
            free = self.member_ports.blue + self.slots
            value = f"{free}" if free + self.slots <= _LARGEST_PORT + 1 else "VALUE"
            raise MisfitError(msg, "member_ports", "green", value=value)
        if max(blue | green) > _LARGEST_PORT:
            msg = f"the last member port {max(blue | green)} is above {_LARGEST_PORT}"
            highest = Color.BLUE if max(blue) > max(green) else Color.GREEN
            raise MisfitError(
                msg, "member_ports", highest, value=f"{_LARGEST_PORT + 1 - self.slots}"
            )
        return self
