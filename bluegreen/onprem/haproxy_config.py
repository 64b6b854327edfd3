"""HAProxy's configuration: two backends for life, two frontends that follow one map value."""

import ipaddress
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from bluegreen.colors import Color
from bluegreen.errors import ConfigError
from bluegreen.onprem.ports import http_url
from bluegreen.onprem.traffic_map import NOTHING_IS_LIVE, RoutedTraffic

if TYPE_CHECKING:
    import jinja2

__all__ = [
    "DEFAULT_COHORT_COOKIE",
    "DEFAULT_PIN_HEADER",
    "HaproxyConfig",
    "check",
    "external_snippet",
    "live_url",
]

DEFAULT_PIN_HEADER = "X-Bluegreen-Color"
"""Request header that pins a color on the test frontend."""

DEFAULT_COHORT_COOKIE = "bluegreen_cohort"
"""Cookie with a client's number from 0 to 99, set only while there is a canary."""

_LONGEST_SOCKET_PATH = 97
"""Bytes: HAProxy binds `<path>.<pid>.tmp` first and renames it, so it refuses more than 97 of the
107 that unix(7) allows (HAProxy 2.6.12: "socket path too long (max 97)")."""

_LARGEST_PORT = 65535
_CHECK_TIMEOUT_SECONDS = 10.0
_PROXY_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
# What HAProxy's own words may hold without quotes; a comma or a bracket would end map(...).
_FILE_PATH = re.compile(r"/[A-Za-z0-9_./@+=:~-]*")
_URL_PATH = re.compile(r"/[A-Za-z0-9_./@+=:~,;&?%!*-]*")


@dataclass(frozen=True, kw_only=True)
class HaproxyConfig:
    """One service behind one HAProxy; the same values always render the same file.

    Raises:
        ConfigError: with every problem at once, by field.
    """

    service: str
    """Name of the service and of its key in the map; the backends are `<service>-<color>`."""

    production_port: int
    test_port: int

    member_ports: Mapping[Color, tuple[int, ...]]
    """A port for every server slot of each color; an empty slot costs one refused check per
    `recheck_seconds`. More slots later mean a new file and a reload."""

    socket_path: Path
    """Where the runtime API listens, for its owner only; absolute, at most 97 bytes."""

    map_path: Path
    """The map file; absolute, and there before HAProxy starts."""

    bind_address: str = "127.0.0.1"
    """Address of the production frontend; closed to other machines by default."""

    test_bind_address: str = "127.0.0.1"
    """Address of the test frontend."""

    member_address: str = "127.0.0.1"
    """Where the members listen."""

    health_check_path: str = "/health/ready"
    """Asked of every member with GET; ready means 200."""

    interval_seconds: float = 2.0
    """Between two checks of a member that is settled up (HAProxy's own default)."""

    timeout_seconds: float = 1.0
    """For one check; at most the interval."""

    recheck_seconds: float = 0.25
    """Between two checks of a member that is down or on its way up or down; the interval, if that
    is shorter. A started member takes traffic after about `healthy_threshold` times this."""

    healthy_threshold: int = 2
    """Passed checks in a row until a member is up."""

    unhealthy_threshold: int = 3
    """Failed checks in a row until a member is down; one is enough for its first check ever."""

    pin_header: str = DEFAULT_PIN_HEADER
    cohort_cookie: str = DEFAULT_COHORT_COOKIE

    retries: int = 3
    """Further tries, each on another member, when a connection cannot be made."""

    connect_timeout_seconds: float = 1.0
    """For a connection to a member."""

    client_timeout_seconds: float = 60.0
    """For a client that is silent in the middle of a request."""

    server_timeout_seconds: float = 60.0
    """For a member that is silent in the middle of an answer."""

    keep_alive_seconds: float = 10.0
    """How long an idle client connection stays open. Also how long a worker that a reload replaced
    may still answer, once per idle connection, by the map as it was: keep it short."""

    hard_stop_seconds: float = 60.0
    """How long a worker that a reload replaced may finish its requests before it is ended."""

    log_to_stdout: bool = False
    """One line per request on standard output."""

    def __post_init__(self) -> None:
        problems = tuple(
            chain(
                _name_problems(self),
                _path_problems(self),
                _address_problems(self),
                _port_problems(self),
                _duration_problems(self),
                _count_problems(self),
            )
        )
        if problems:
            raise ConfigError(problems)

    @property
    def routed_traffic(self) -> RoutedTraffic:
        """The backends of this configuration, for reading and writing the map value."""
        return RoutedTraffic.of_service(self.service)

    def render(self) -> str:
        """Returns the text of the configuration file."""
        routing = _Routing(
            map_key=self.service,
            map_path=self.map_path,
            backends=self.routed_traffic.backends,
            pin_header=self.pin_header,
            cohort_cookie=self.cohort_cookie,
        )
        template = _templates().get_template("haproxy.cfg.j2")
        return template.render(config=self, routing=routing)


def live_url(config_file: Path, frontend: str) -> str | None:
    """Where clients find a frontend that the proxy runs with; None when there is none.

    Args:
        config_file: What was rendered, or is as it was when the proxy did not take over a new one.
        frontend: Its name, for example `shop-production`.
    """
    try:
        text = config_file.read_text(encoding="utf-8")
    except OSError:
        return None
    bound = re.search(rf"^frontend {re.escape(frontend)}\n +bind (\S+):(\d+)$", text, re.MULTILINE)
    return http_url(bound[1], int(bound[2])) if bound else None


def check(haproxy_binary: str | Path, path: Path) -> None:
    """Lets HAProxy itself judge a configuration file; starts nothing.

    Raises:
        ConfigError: HAProxy refuses it, with HAProxy's own words, or cannot be run.
    """
    command = [str(haproxy_binary), "-c", "-f", str(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_CHECK_TIMEOUT_SECONDS, check=False
        )
    except OSError as error:
        msg = (
            f"cannot run {haproxy_binary}: {error.strerror}; nothing was started; "
            f"install HAProxy 2.6 or newer or name its binary"
        )
        raise ConfigError([msg]) from error
    except subprocess.TimeoutExpired as error:
        msg = f"{haproxy_binary} did not judge {path} within {_CHECK_TIMEOUT_SECONDS:g} s"
        raise ConfigError([msg]) from error
    if done.returncode != 0:
        words = (done.stderr + done.stdout).strip() or f"exit code {done.returncode}"
        msg = f"haproxy refuses {path}, nothing was started: {words}"
        raise ConfigError([msg])


def external_snippet(
    service: str,
    *,
    map_path: Path,
    backends: Mapping[Color, str] | None = None,
    pin_header: str = DEFAULT_PIN_HEADER,
    cohort_cookie: str = DEFAULT_COHORT_COOKIE,
) -> str:
    """Returns the lines to paste into a HAProxy that somebody else runs, with what else it needs.

    Args:
        service: the key in the map.
        map_path: the map file, exactly as the router will name it: HAProxy finds a map by the
            text of its path.
        backends: the two backends that are already there; `<service>-blue` and `<service>-green`
            by default.
        pin_header: request header that pins a color on the test frontend.
        cohort_cookie: cookie with a client's number while there is a canary.
    """
    problems = [
        *_service_problems(service),
        *_file_path_problem("map_path", map_path),
        *_token_problems(pin_header=pin_header, cohort_cookie=cohort_cookie),
    ]
    if problems:
        raise ConfigError(problems)
    routed = RoutedTraffic(backends) if backends else RoutedTraffic.of_service(service)
    routing = _Routing(
        map_key=service,
        map_path=map_path,
        backends=routed.backends,
        pin_header=pin_header,
        cohort_cookie=cohort_cookie,
    )
    return _templates().get_template("haproxy_snippet.cfg.j2").render(routing=routing)


@dataclass(frozen=True, kw_only=True)
class _Routing:
    """What the shared routing lines are made of."""

    map_key: str
    map_path: Path
    backends: Mapping[Color, str]
    pin_header: str
    cohort_cookie: str


def _templates() -> "jinja2.Environment":
    # Only the provider renders; the program would wait for this import at every start.
    import jinja2  # noqa: PLC0415

    # The text is no HTML; every value in it was checked by a pattern of its own.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )
    environment.globals["nothing_is_live"] = NOTHING_IS_LIVE
    environment.filters["milliseconds"] = _milliseconds
    return environment


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"


def _service_problems(service: str) -> Iterator[str]:
    if not _PROXY_NAME.fullmatch(service):
        yield f"service {service!r} must be letters, digits and any of _ . : -"


def _name_problems(config: HaproxyConfig) -> Iterator[str]:
    yield from _service_problems(config.service)
    yield from _token_problems(pin_header=config.pin_header, cohort_cookie=config.cohort_cookie)


def _token_problems(**tokens: str) -> Iterator[str]:
    for field, token in tokens.items():
        if not _TOKEN.fullmatch(token):
            yield f"{field} {token!r} must be letters, digits, hyphens and underscores"


def _path_problems(config: HaproxyConfig) -> Iterator[str]:
    yield from _file_path_problem("socket_path", config.socket_path)
    yield from _file_path_problem("map_path", config.map_path)
    size = len(str(config.socket_path).encode())
    if size > _LONGEST_SOCKET_PATH:
        yield (
            f"socket_path {str(config.socket_path)!r} has {size} bytes; HAProxy's limit is "
            f"{_LONGEST_SOCKET_PATH}; use a shorter directory"
        )
    if not _URL_PATH.fullmatch(config.health_check_path):
        yield (
            f"health_check_path {config.health_check_path!r} must start with / and hold letters, "
            f"digits and any of _ . / @ + = : ~ , ; & ? % ! * -"
        )


def _file_path_problem(field: str, path: Path) -> Iterator[str]:
    if not _FILE_PATH.fullmatch(str(path)):
        yield (
            f"{field} {str(path)!r} must be absolute and hold letters, digits and any of "
            f"_ . / @ + = : ~ -"
        )


def _address_problems(config: HaproxyConfig) -> Iterator[str]:
    for field in ("bind_address", "test_bind_address", "member_address"):
        address: str = getattr(config, field)
        if not (_HOST_NAME.fullmatch(address) or _is_ip_address(address)):
            yield f"{field} {address!r} must be an IP address or a host name"


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    # A scope (`fe80::1%eth0`) may hold any text, also what would end the line.
    return "%" not in text


def _port_problems(config: HaproxyConfig) -> Iterator[str]:
    uses = [("production_port", config.production_port), ("test_port", config.test_port)]
    for color in Color:
        ports = config.member_ports.get(color, ())
        if not ports:
            yield f"member_ports has no slot for {color}"
        uses += [(f"member_ports.{color}[{index}]", port) for index, port in enumerate(ports)]
    taken: dict[int, str] = {}
    for field, port in uses:
        if not 1 <= port <= _LARGEST_PORT:
            yield f"{field} {port} must be 1 to {_LARGEST_PORT}"
        elif port in taken:
            yield f"{field} {port} is taken by {taken[port]}"
        taken.setdefault(port, field)


def _duration_problems(config: HaproxyConfig) -> Iterator[str]:
    fields = (name for name in config.__dataclass_fields__ if name.endswith("_seconds"))
    for field in fields:
        seconds: float = getattr(config, field)
        if not 0.001 <= seconds <= 86400:  # noqa: PLR2004
            yield f"{field} {seconds:g} must be 0.001 to 86400"
    if config.timeout_seconds > config.interval_seconds:
        yield (
            f"timeout_seconds {config.timeout_seconds:g} is longer than interval_seconds "
            f"{config.interval_seconds:g}; a check would overlap the next one"
        )


def _count_problems(config: HaproxyConfig) -> Iterator[str]:
    for field, least in (("healthy_threshold", 1), ("unhealthy_threshold", 1), ("retries", 0)):
        count: int = getattr(config, field)
        if not least <= count <= 100:  # noqa: PLR2004
            yield f"{field} {count} must be {least} to 100"
