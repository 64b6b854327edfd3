"""The embedded proxy of one service, as a resource: every anchor of both colors, made once."""

import math
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from bluegreen.colors import Color
from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem.haproxy_config import HaproxyConfig, check
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.ports import taken_by
from bluegreen.onprem.program import Program
from bluegreen.onprem.provider import LiveProvider, differs, plain
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import NOTHING_IS_LIVE, MapFile
from bluegreen.settings.service import ServiceSettings

__all__ = ["LocalHaproxy"]

_PROGRAM = "haproxy"
_START_SECONDS = 10.0


class _Provider(LiveProvider):
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        try:
            _config(plain(news))
        except ConfigError as error:
            return dynamic.CheckResult(
                news, [dynamic.CheckFailure("service", problem) for problem in error.problems]
            )
        return dynamic.CheckResult(news, [])

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        inputs = plain(props)
        _start(inputs)
        return dynamic.CreateResult(str(_run(inputs).stats_socket), _outputs(inputs))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        changes = differs(plain(olds), plain(news)) or not _is_as_written(plain(news))
        return dynamic.DiffResult(changes=changes)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        inputs = plain(news)
        if _is_answering(inputs):
            _reload(inputs)
        else:
            _start(inputs)
        return dynamic.UpdateResult(_outputs(inputs))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        run = _run(props)
        supervisord = Supervisord(run.path)
        if supervisord.is_running():
            supervisord.take(_PROGRAM)
        for path in (run.haproxy_config, run.traffic_map, run.stats_socket):
            path.unlink(missing_ok=True)


def _run(inputs: dict[str, Any]) -> RunDirectory:
    return RunDirectory(Path(inputs["run_directory"]))


def _config(inputs: dict[str, Any]) -> HaproxyConfig:
    run, health = _run(inputs), inputs["health_check"]
    return HaproxyConfig(
        service=inputs["service"],
        production_port=inputs["production_port"],
        test_port=inputs["test_port"],
        member_ports={color: tuple(inputs[f"{color}_ports"]) for color in Color},
        socket_path=run.stats_socket,
        map_path=run.traffic_map,
        bind_address=inputs["bind_address"],
        health_check_path=health["path"],
        interval_seconds=health["interval_seconds"],
        timeout_seconds=health["timeout_seconds"],
        healthy_threshold=health["healthy_threshold"],
        unhealthy_threshold=health["unhealthy_threshold"],
    )


def _outputs(inputs: dict[str, Any]) -> dict[str, Any]:
    run, config = _run(inputs), _config(inputs)
    return inputs | {
        "stats_socket": str(run.stats_socket),
        "map_path": str(run.traffic_map),
        "production_url": f"http://{config.bind_address}:{config.production_port}",
        "test_url": f"http://{config.test_bind_address}:{config.test_port}",
    }


def _start(inputs: dict[str, Any]) -> None:
    run, config = _run(inputs), _config(inputs)
    for port in (config.production_port, config.test_port):
        if (owner := taken_by(port)) is not None:
            msg = (
                f"port {port} for the proxy of {config.service} is taken by {owner}; the proxy "
                "was not started; free it or change service.port or service.onprem.test_port"
            )
            raise DataPlaneError(msg)
    # The map is read with the config, and must be there before it is checked.
    traffic = MapFile(run.traffic_map)
    if traffic.read(config.service) is None:
        traffic.write(config.service, NOTHING_IS_LIVE)
    binary = _write_config(config, run.haproxy_config)
    Supervisord(run.path).put(
        Program(
            name=_PROGRAM,
            command=(binary, "-W", "-db", "-f", str(run.haproxy_config)),
            directory=str(run.path),
            stop_seconds=math.ceil(config.hard_stop_seconds),
        )
    )
    _wait_for_worker(inputs, other_than=None)


def _reload(inputs: dict[str, Any]) -> None:
    """Takes over a new config without closing a socket; the map file keeps who is live."""
    run, config = _run(inputs), _config(inputs)
    before = HaproxyRuntime(str(run.stats_socket)).worker_pid()
    _write_config(config, run.haproxy_config)
    Supervisord(run.path).signal(_PROGRAM, signal.SIGUSR2)
    _wait_for_worker(inputs, other_than=before)


def _write_config(config: HaproxyConfig, path: Path) -> str:
    binary = shutil.which("haproxy", path=None) or shutil.which("haproxy", path="/usr/sbin")
    if binary is None:
        msg = (
            "haproxy is not installed; the proxy was not started; install it "
            "(`apt-get install haproxy`) and run `pulumi up` again"
        )
        raise DataPlaneError(msg)
    candidate = path.with_suffix(".cfg.new")
    candidate.write_text(config.render(), encoding="utf-8")
    try:
        check(binary, candidate)
        candidate.replace(path)
    finally:
        candidate.unlink(missing_ok=True)
    return binary


def _wait_for_worker(inputs: dict[str, Any], *, other_than: int | None) -> None:
    runtime = HaproxyRuntime(str(_run(inputs).stats_socket))
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            if runtime.worker_pid() != other_than:
                return
        except DataPlaneError:
            if time.monotonic() > end:
                raise
        if time.monotonic() > end:
            msg = f"the proxy did not take over its new config within {_START_SECONDS:g} seconds"
            raise DataPlaneError(msg)
        time.sleep(0.02)


def _is_answering(inputs: dict[str, Any]) -> bool:
    try:
        HaproxyRuntime(str(_run(inputs).stats_socket)).worker_pid()
    except DataPlaneError:
        return False
    return True


def _is_as_written(inputs: dict[str, Any]) -> bool:
    path = _run(inputs).haproxy_config
    is_same = path.exists() and path.read_text(encoding="utf-8") == _config(inputs).render()
    return is_same and _is_answering(inputs)


class LocalHaproxy(dynamic.Resource, module="onprem", name="LocalHaproxy"):
    """An HAProxy with both colors always configured and health-checked, in fixed server slots."""

    stats_socket: pulumi.Output[str]
    """Path of the runtime API's socket, mode 0600."""

    map_path: pulumi.Output[str]
    """Path of the file that keeps who is live."""

    production_url: pulumi.Output[str]
    """Where clients go."""

    test_url: pulumi.Output[str]
    """Reaches the idle color; a request that names a color reaches that one."""

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        run_directory: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        onprem = settings.onprem
        props = {
            "run_directory": run_directory,
            "service": settings.name,
            "bind_address": onprem.bind_address,
            "production_port": settings.port,
            "test_port": onprem.test_port,
            "health_check": settings.health_check.model_dump(),
            **{f"{color}_ports": list(onprem.ports_of(color)) for color in Color},
            "stats_socket": None,
            "map_path": None,
            "production_url": None,
            "test_url": None,
        }
        super().__init__(_Provider(), name, props, opts)
