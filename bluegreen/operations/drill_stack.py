"""A copy of an on-premises stack, on ports of its own; gone when the drill is over."""

import contextlib
import secrets
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey
from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.engine_process import EngineResult, run_engine
from bluegreen.operations.move import Tell
from bluegreen.operations.outcome import OperationError, RefusedError, UncertainError, UsageError
from bluegreen.operations.stack import Stack
from bluegreen.operations.stack_file import StackConfig
from bluegreen.settings.service import Platform

__all__ = ["DrillStack", "drill_stack"]

_SLOTS = 8
_FIRST_PORT, _LAST_PORT = 20_000, 32_000
"""Below those that the kernel gives to outgoing connections."""


@dataclass(frozen=True, slots=True)
class DrillStack:
    """The copy, of which at first only the active color is in the config."""

    stack: Stack
    active: Color
    """Who has production in the copied config."""

    events: Path
    """Its audit trail."""

    colors: dict[Color, dict[str, Any]]
    """What the copied config says about each color."""

    def add(self, color: Color) -> None:
        """Puts a color into the copy's config."""
        path = self.stack.config_file
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        content["config"][f"{self.stack.project.name}:{color}"] = self.colors[color]
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


@contextlib.contextmanager
def drill_stack(stack: Stack, tell: Tell) -> Iterator[DrillStack]:
    """Makes the copy and removes it again, whatever happened.

    Raises:
        UsageError: The stack is not on-premises.
        RefusedError: The copy could not be made; nothing is left of it.
        UncertainError: It could not be removed.
    """
    config = StackConfig.read(stack.config_file, stack.project.name)
    if config.service.get("platform", Platform.ONPREM) != Platform.ONPREM:
        msg = (
            f"{stack.name} is not on-premises; nothing was done; a drill makes a copy of the "
            "service, which it can do on this machine only"
        )
        raise UsageError(msg)
    active = config.active_color
    if active is None:
        msg = f"{stack.config_file.name} does not say active_color; nothing was done"
        raise RefusedError(msg)
    copy = Stack(stack.project, f"drill-{secrets.token_hex(3)}", stack.interruption)
    with tempfile.TemporaryDirectory(prefix="bgd-") as folder:
        run = Path(folder, "run")
        _init(stack, copy)
        try:
            _rewrite(copy, run)
            tell(EngineMessage(f"the copy is {copy.name}", "info"))
            yield DrillStack(copy, active, run / "events.jsonl", _colors(config))
        finally:
            _remove(copy)


def _colors(config: StackConfig) -> dict[Color, dict[str, Any]]:
    """Both colors; one that is not there yet is like the other."""
    written = {color: dict(config.color(color)) for color in Color}
    return {color: own or written[color.other] for color, own in written.items()}


def _init(stack: Stack, copy: Stack) -> None:
    """A stack with the same config; secrets are encrypted anew for it."""
    done = _pulumi(
        copy, "stack", "init", copy.name, "--no-select", "--copy-config-from", stack.name
    )
    if done.exit_code != 0:
        msg = f"the copy could not be made: {_said(done)}; nothing was changed"
        raise RefusedError(msg)


def _rewrite(copy: Stack, run: Path) -> None:
    """Other ports and files; nobody is told; nothing that waits for people or for a time."""
    path, namespace = copy.config_file, copy.project.name
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    config = content["config"]
    gone = (ConfigKey.CANARY, ConfigKey.RETIRED, ConfigKey.APPROVAL, *map(ConfigKey, Color))
    for key in gone:
        config.pop(f"{namespace}:{key}", None)
    service = config[f"{namespace}:{ConfigKey.SERVICE}"]
    for setting in ("windows", "events"):
        service.pop(setting, None)
    service["retention_hours"] = 0
    if isinstance(service.get("gates"), dict):
        service["gates"].pop("approve", None)
    onprem = service.setdefault("onprem", {})
    slots = int(onprem.get("slots", _SLOTS))
    first = _free_ports(2 + 2 * slots)
    service["port"] = first
    onprem |= {
        "bind_address": "127.0.0.1",
        "test_port": first + 1,
        "member_ports": {"blue": first + 2, "green": first + 2 + slots},
        # A short path: sockets cannot have long ones.
        "run_directory": str(run),
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _remove(copy: Stack) -> None:
    destroyed = _pulumi(copy, "destroy", "--yes", "--stack", copy.name)
    removed = _pulumi(copy, "stack", "rm", "--yes", copy.name)
    if destroyed.exit_code or removed.exit_code:
        failed = destroyed if destroyed.exit_code else removed
        msg = (
            f"the copy {copy.name} could not be removed: {_said(failed)}; the stack itself was not "
            f"touched; `pulumi destroy --stack {copy.name}`, then `pulumi stack rm {copy.name}`"
        )
        raise UncertainError(msg)


def _pulumi(copy: Stack, *words: str) -> EngineResult:
    try:
        return run_engine(
            ["pulumi", "--non-interactive", *words],
            cwd=str(copy.project.directory),
            environment={"PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except FileNotFoundError as error:
        msg = "the program `pulumi` is not on PATH; nothing was done"
        raise OperationError(msg) from error


def _said(done: EngineResult) -> str:
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    errors = [line.strip() for line in lines if line.strip().startswith("error:")]
    return "; ".join(errors) or done.stderr.strip() or f"exit status {done.exit_code}"


def _free_ports(count: int) -> int:
    """The first of so many consecutive ports that nobody listens on."""
    for _ in range(200):
        first = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT - count)
        if not any(_is_taken(port) for port in range(first, first + count)):
            return first
    msg = f"no {count} free ports in a row were found; nothing was changed"
    raise RefusedError(msg)


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
