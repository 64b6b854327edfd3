"""A copy of a stack, apart from it in every name and port; gone when the drill is over."""

import contextlib
import secrets
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey, OutputName
from bluegreen.operations.drill_apart import preview_errors, shared_resources
from bluegreen.operations.drill_commands import exported, init, remove
from bluegreen.operations.drill_copy import (
    CopyPlace,
    Written,
    asked_service,
    copied_config,
    copy_url,
    is_address_written,
    platform_of,
    ports_of_copy,
)
from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.move import Tell
from bluegreen.operations.outcome import RefusedError, UsageError
from bluegreen.operations.stack import Stack
from bluegreen.operations.stack_file import StackConfig
from bluegreen.settings.kubernetes import RouterMechanism
from bluegreen.settings.service import Platform

__all__ = ["DrillStack", "drill_stack"]

_FIRST_PORT, _LAST_PORT = 20_000, 32_000
"""Below those that the kernel gives to outgoing connections."""


@dataclass(frozen=True, slots=True)
class DrillStack:
    """The copy, of which at first only the active color is in the config."""

    stack: Stack
    active: Color
    """Who has production in the copied config."""

    place: CopyPlace
    """What is its own."""

    colors: dict[Color, dict[str, Any]]
    """What the copied config says about each color."""

    keeps_connections: bool
    """True where a connection that is kept stays on its color: behind a Service of Kubernetes."""

    def add(self, color: Color) -> None:
        """Puts a color into the copy's config."""
        with _edited(self.stack) as config:
            config[f"{self.stack.project.name}:{color}"] = self.colors[color]

    def let_production_be_asked(self) -> None:
        """Puts into the copy's config what a first deployment must not have."""
        key = f"{self.stack.project.name}:{ConfigKey.SERVICE}"
        with _edited(self.stack) as config:
            config[key] = asked_service(config[key], self.place)

    @property
    def production_url(self) -> str:
        """Where clients go; known once the copy is deployed."""
        url = self.place.url or self.stack.outputs()[OutputName.PRODUCTION_URL]
        return str(url).rstrip("/")


@contextlib.contextmanager
def drill_stack(
    stack: Stack, tell: Tell, *, url: str | None = None, port: int | None = None
) -> Iterator[DrillStack]:
    """Makes the copy and removes it again, whatever happened.

    Args:
        stack: What is copied; it is only read.
        tell: Is told what happens.
        url: Where production of the copy is reached from here, `{service}` and `{port}` filled in;
            None: as production of the stack.
        port: The first of the copy's ports; None for free ones.

    Raises:
        UsageError: It is not known where production of the copy would be; nothing was made.
        RefusedError: The copy could not be made; nothing is left of it.
        UncertainError: It could not be removed.
    """
    config = StackConfig.read(stack.config_file, stack.project.name)
    active = config.active_color
    if active is None:
        msg = f"{stack.config_file.name} does not say active_color; nothing was done"
        raise RefusedError(msg)
    service = config.service
    with tempfile.TemporaryDirectory(prefix="bgd-") as folder:
        place = _place(stack, service, Path(folder), url=url, port=port)
        copy = Stack(stack.project, place.name, stack.interruption)
        init(copy, stack.name)
        try:
            with _edited(copy) as written:
                copied = copied_config(written, copy.project.name, place)
                written.clear()
                written |= copied
            tell(EngineMessage(f"the copy is {copy.name}", "info"))
            made = DrillStack(copy, active, place, _colors(config), _keeps_connections(service))
            made.add(active)
            if platform_of(service) is not Platform.ONPREM:
                _check_that_it_is_apart(stack, copy)
            yield made
        finally:
            tell(EngineMessage(f"removing {copy.name}", "info"))
            remove(copy)


def _place(
    stack: Stack, service: Written, folder: Path, *, url: str | None, port: int | None
) -> CopyPlace:
    platform, name = platform_of(service), f"drill-{secrets.token_hex(3)}"
    if platform is Platform.ONPREM and url is not None:
        msg = "on-premises the copy is on this machine; nothing was done; leave out --url"
        raise UsageError(msg)
    if platform is Platform.KUBERNETES and port is not None:
        msg = (
            "on Kubernetes the copy has an address, not a port; nothing was done; leave out --port"
        )
        raise UsageError(msg)
    first = port or _free_ports(ports_of_copy(service))
    is_known = url is not None or platform is Platform.ONPREM or is_address_written(service)
    known = None if is_known else stack.outputs().get(OutputName.PRODUCTION_URL)
    own = copy_url(service, name, first, str(known) if known else None, url)
    place = CopyPlace(name, folder, first, own)
    if platform is Platform.KUBERNETES and url is None:
        _check_that_it_is_known(str(place.url).replace(name, str(service.get("name")), 1))
    return place


def _check_that_it_is_known(production: str) -> None:
    """Asks for the stack's own address: the copy's will be known where that one is."""
    host = urlsplit(production).hostname
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        msg = (
            f"{host} is not known here, so no client can be sent to a copy beside it; nothing was "
            "done; run it where it is, as in a pod of the cluster, or say where production of a "
            "copy is reached from here: --url 'http://HOST', {service} is filled in"
        )
        raise UsageError(msg) from error


def _check_that_it_is_apart(stack: Stack, copy: Stack) -> None:
    """Refuses what would be made under a name of the stack's: it would be removed as well."""
    planned, has_succeeded = copy.preview_document()
    shared = shared_resources(planned, exported(stack))
    if shared:
        named = "; ".join(f"{kind} {name}" for kind, name in shared)
        msg = (
            f"the copy would be made under names that {stack.name} has already: {named}; nothing "
            "was made; a program that makes more than one service, or other things with names of "
            "their own, cannot be copied"
        )
        raise RefusedError(msg)
    if not has_succeeded:
        said = "; ".join(preview_errors(planned)) or "`pulumi preview` failed"
        msg = f"the copy could not be deployed: {said}; nothing was made"
        raise RefusedError(msg)


def _keeps_connections(service: Written) -> bool:
    if platform_of(service) is not Platform.KUBERNETES:
        return False
    kubernetes = service.get("kubernetes") or {}
    router = kubernetes.get("router", RouterMechanism.SERVICE)
    return bool(router == RouterMechanism.SERVICE)


def _colors(config: StackConfig) -> dict[Color, dict[str, Any]]:
    """Both colors; one that is not there yet is like the other."""
    written = {color: dict(config.color(color)) for color in Color}
    return {color: own or written[color.other] for color, own in written.items()}


@contextlib.contextmanager
def _edited(copy: Stack) -> Iterator[dict[str, Any]]:
    """The copy's config, which is written back afterwards."""
    path = copy.config_file
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    yield content["config"]
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


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
