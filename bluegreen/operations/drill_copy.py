"""What the copy of a service is called, where it listens and how it is reached. Pure.

Nothing of the copy may have a name, a port or a file of the service that it is a copy of: on
Kubernetes it would take over what has the same name, and remove it with itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey
from bluegreen.operations.outcome import UsageError
from bluegreen.settings.kubernetes import RouterMechanism
from bluegreen.settings.service import Platform

__all__ = [
    "CopyPlace",
    "Written",
    "asked_service",
    "copied_config",
    "copied_service",
    "copy_url",
    "is_address_written",
    "platform_of",
    "ports_of_copy",
]

Written = Mapping[str, Any]
"""A part of a config as it is written, secrets as they are encrypted."""

_SLOTS = 8
"""Of a color on-premises where nothing is written."""

_GONE = (ConfigKey.CANARY, ConfigKey.RETIRED, ConfigKey.APPROVAL, *map(ConfigKey, Color))
"""What would hold up a first deployment, or be put in color by color."""


@dataclass(frozen=True, slots=True)
class CopyPlace:
    """What is the copy's own."""

    name: str
    """Of the stack, and of the service where names are shared with others."""

    folder: Path
    """Empty, and removed with the copy."""

    port: int
    """The first of the ports that are the copy's."""

    url: str | None
    """Where its production is reached from here; None where the program itself knows."""

    @property
    def events(self) -> Path:
        """Its audit trail, on every platform."""
        return self.folder / "events.jsonl"


def platform_of(service: Written) -> Platform:
    """Where a service runs; on-premises where nothing is written, or what nobody knows."""
    written = service.get("platform")
    return Platform(written) if written in set(Platform) else Platform.ONPREM


def is_address_written(service: Written) -> bool:
    """Whether the config says where production is; else the outputs have to."""
    return bool(_part(service, platform_of(service)).get("production_url"))


def ports_of_copy(service: Written) -> int:
    """How many ports in a row the copy needs: production, test and, on-premises, its members."""
    if platform_of(service) is not Platform.ONPREM:
        return 2
    return 2 + 2 * int(_part(service, Platform.ONPREM).get("slots", _SLOTS))


def copied_config(config: Written, namespace: str, place: CopyPlace) -> dict[str, Any]:
    """The copy's config of a stack's, by full keys; without colors, which are put in later."""
    gone = {f"{namespace}:{key}" for key in _GONE}
    key = f"{namespace}:{ConfigKey.SERVICE}"
    kept = {name: value for name, value in config.items() if name not in gone}
    return kept | {key: copied_service(config[key], place)}


def copied_service(service: Written, place: CopyPlace) -> dict[str, Any]:
    """What stands under `service` in the copy.

    Nobody is told of what happens to it, and nothing waits for people or for a time.
    """
    copied = {key: value for key, value in service.items() if key != "windows"}
    copied |= {"retention_hours": 0, "events": {"file": str(place.events)}}
    if isinstance(gates := service.get("gates"), dict):
        copied["gates"] = {key: value for key, value in gates.items() if key != "approve"}
    return _COPIES[platform_of(service)](copied, place)


def asked_service(service: Written, place: CopyPlace) -> dict[str, Any]:
    """What stands under `service` in a copy that has been deployed: production may be asked now.

    A connection to a Service that kube-proxy does not know yet is sent nowhere, and Linux remembers
    that for two minutes: one of the load's that gets the same port would be lost as well.
    """
    if platform_of(service) is not Platform.KUBERNETES:
        return dict(service)
    kubernetes = {**_part(service, Platform.KUBERNETES), "production_url": place.url}
    return {**service, "kubernetes": kubernetes}


def copy_url(
    service: Written, name: str, port: int, known: str | None, asked: str | None
) -> str | None:
    """Where production of the copy will be reached from here; None where its program knows.

    Args:
        service: What stands under `service` in the stack that is copied.
        name: Of the copy.
        port: Its first port.
        known: Where production of the stack is, by its outputs; None before the first deployment.
        asked: What somebody wrote for the copy; `{service}` and `{port}` are filled in.

    Raises:
        UsageError: Nobody can tell; the message says what to write.
    """
    if asked is not None:
        filled = asked.replace("{service}", name).replace("{port}", str(port))
        return filled.rstrip("/")
    platform = platform_of(service)
    if platform is Platform.ONPREM:
        return None
    url = _part(service, platform).get("production_url") or known
    if platform is Platform.AWS:
        return _with_port(url, port)
    if _part(service, platform).get("router") == RouterMechanism.HTTP_ROUTE:
        msg = (
            "a copy behind the same Gateway is told apart by a host name, and nobody said which "
            "one; nothing was done; name one that leads to the Gateway and that no route has: "
            "--url http://HOST"
        )
        raise UsageError(msg)
    return _with_service(url, str(service.get("name")), name)


def _onprem(service: dict[str, Any], place: CopyPlace) -> dict[str, Any]:
    """Other ports and files; names are the run directory's own."""
    slots = int(_part(service, Platform.ONPREM).get("slots", _SLOTS))
    own = {
        "bind_address": "127.0.0.1",
        "test_port": place.port + 1,
        "member_ports": {"blue": place.port + 2, "green": place.port + 2 + slots},
        # A short path: sockets cannot have long ones.
        "run_directory": str(place.folder / "run"),
    }
    onprem = {**_part(service, Platform.ONPREM), **own}
    return service | {"port": place.port, "onprem": onprem}


def _kubernetes(service: dict[str, Any], place: CopyPlace) -> dict[str, Any]:
    """Another service name in the same namespace: every object's name begins with it."""
    kubernetes = _part(service, Platform.KUBERNETES)
    # Put in once kube-proxy knows the Service: `asked_service` says why.
    kubernetes.pop("production_url", None)
    color_url = kubernetes.pop("color_url", None)
    start = f"//{service['name']}-{{color}}"
    if isinstance(color_url, str) and start in color_url:
        # Any other one leads to a color of the service itself: the API server's proxy is asked.
        kubernetes["color_url"] = color_url.replace(start, f"//{place.name}-{{color}}", 1)
    if isinstance(gateway := kubernetes.get("gateway"), dict):
        host = urlsplit(place.url or "").hostname
        kubernetes["gateway"] = gateway | {"hostnames": [host]}
    return service | {"name": place.name, "kubernetes": kubernetes}


def _aws(service: dict[str, Any], place: CopyPlace) -> dict[str, Any]:
    """Another service name, and two listeners of its own on the same load balancer."""
    gone = ("rule", "redirect_http", "flag_name", "events_log_group")
    written = _part(service, Platform.AWS)
    aws = {key: value for key, value in written.items() if key not in gone}
    aws |= {"production_url": place.url, "test_port": place.port + 1}
    if isinstance(test_url := aws.get("test_url"), str):
        aws["test_url"] = _with_port(test_url, place.port + 1)
    if isinstance(alarms := aws.get("alarms"), dict):
        aws["alarms"] = {key: each for key, each in alarms.items() if key != "topic_arns"}
    return service | {"name": place.name, "port": place.port, "aws": aws}


_COPIES: Mapping[Platform, Callable[[dict[str, Any], CopyPlace], dict[str, Any]]] = {
    Platform.ONPREM: _onprem,
    Platform.KUBERNETES: _kubernetes,
    Platform.AWS: _aws,
}


def _part(service: Written, platform: Platform) -> dict[str, Any]:
    written = service.get(str(platform))
    return dict(written) if isinstance(written, dict) else {}


def _with_port(url: str | None, port: int) -> str:
    parts = urlsplit(url or "")
    if not parts.hostname:
        msg = (
            "it is not known where production is: nothing is deployed, and "
            "service.aws.production_url is not written; nothing was done; say where a copy's "
            "production is reached from here: --url 'https://HOST:{port}'"
        )
        raise UsageError(msg)
    if parts.scheme == "https" and parts.hostname.endswith(".amazonaws.com"):
        msg = (
            f"no certificate fits {parts.hostname}, the load balancer's own name, so no client can "
            "be sent there; nothing was done; write service.aws.production_url, or say where a "
            "copy's production is reached from here: --url 'https://HOST:{port}'"
        )
        raise UsageError(msg)
    return _with_host(parts, parts.hostname, port)


def _with_service(url: str | None, service: str, name: str) -> str:
    """The address of a Service whose name the address of another one begins with."""
    parts = urlsplit(url or "")
    first, _, rest = (parts.hostname or "").partition(".")
    if first != service:
        where = f"{url} does not begin with {service}" if url else "nothing is deployed"
        msg = (
            f"it is not known where production of a copy would be reached from here: {where}; "
            "nothing was done; say it: --url 'http://{service}.NAMESPACE.svc', {service} is filled "
            "in"
        )
        raise UsageError(msg)
    return _with_host(parts, f"{name}.{rest}" if rest else name, parts.port)


def _with_host(parts: SplitResult, host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=shown if port is None else f"{shown}:{port}").geturl().rstrip("/")
