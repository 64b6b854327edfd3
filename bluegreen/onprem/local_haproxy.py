"""The embedded proxy of one service, as a resource: every anchor of both colors, made once."""

import contextlib
import math
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from bluegreen.colors import Color
from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem import orphans
from bluegreen.onprem.haproxy_config import HaproxyConfig, check
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime, ProxyNotRunningError
from bluegreen.onprem.ports import Holder, holder_of, http_url, is_of_this_machine
from bluegreen.onprem.private_files import write_private
from bluegreen.onprem.program import Program
from bluegreen.onprem.provider import LiveProvider, LiveResource, plain
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import NOTHING_IS_LIVE, MapFile
from bluegreen.settings.service import ServiceSettings

__all__ = ["LocalHaproxy"]

_PROGRAM = "haproxy"
_START_SECONDS = 10.0
_START_GRACE_SECONDS = 2.0
_RELOAD_SECONDS = 1.0
"""A reload takes some 60 ms (HAProxy 2.6.12, one service)."""

_POLL_SECONDS = 0.02
_NOT_INSTALLED = (
    "haproxy is not installed; the proxy was not started; install it "
    "(`apt-get install haproxy`) and run `pulumi up` again"
)
_COMPUTED = ("stats_socket", "map_path", "production_url", "test_url")


class _Provider(LiveProvider):
    computed = _COMPUTED

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        failures = [
            dynamic.CheckFailure(name, problem) for name, problem in _problems(olds, plain(news))
        ]
        return dynamic.CheckResult(news, failures)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        inputs = plain(props)
        _start_or_adopt(inputs)
        return dynamic.CreateResult(str(_run(inputs).stats_socket), _outputs(inputs))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        inputs = plain(news)
        _refuse_silence(inputs)
        is_drift = not _is_as_written(inputs)
        return dynamic.DiffResult(changes=self.has_new_inputs(olds, news) or is_drift)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        inputs = plain(news)
        _start_or_adopt(inputs)
        return dynamic.UpdateResult(_outputs(inputs))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        run, supervisord = _run(props), _supervisord(props)
        if supervisord.is_anothers:
            return
        supervisord.take(_PROGRAM)
        sockets = (run.stats_socket, run.master_socket)
        for path in (run.haproxy_config, run.traffic_map, *sockets):
            path.unlink(missing_ok=True)


def _problems(olds: dict[str, Any], inputs: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a preview can say already, by the name of the input."""
    try:
        address = _config(inputs).bind_address
    except ConfigError as error:
        yield from (("service", problem) for problem in error.problems)
        return
    if not is_of_this_machine(address):
        yield (
            "bind_address",
            f"{address} is no address of this machine; the proxy was not changed; "
            "change service.onprem.bind_address",
        )
    # One that runs needs none until it is changed.
    if not olds and _binary() is None:
        yield "service", _NOT_INSTALLED


def _run(inputs: dict[str, Any]) -> RunDirectory:
    return RunDirectory(Path(inputs["run_directory"]))


def _supervisord(inputs: dict[str, Any]) -> Supervisord:
    return Supervisord(_run(inputs).path, inputs.get("owner"))


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
        "production_url": http_url(config.bind_address, config.production_port),
        "test_url": http_url(config.test_bind_address, config.test_port),
    }


def _start_or_adopt(inputs: dict[str, Any]) -> None:
    """Starts the proxy; one that runs takes over the config without closing a socket."""
    config = _config(inputs)
    is_up = _master_pid(inputs) is not None
    _refuse_silence(inputs)
    _refuse_taken_ports(inputs, config, "was left as it was" if is_up else "was not started")
    _keep_map_key(inputs)
    if not _is_supervised(inputs):
        _start(inputs)
        return
    # One that was started a moment ago gets the time to open its socket.
    if _worker(config.socket_path, within=_START_GRACE_SECONDS) is None:
        _renew_socket(inputs)
    _take_over(inputs, config)


def _master_pid(inputs: dict[str, Any]) -> int | None:
    """The proxy's first process; None when none is meant to stay."""
    supervisord = _supervisord(inputs)
    state = (supervisord.find_programs() or {}).get(_PROGRAM)
    if state is None:
        return supervisord.left_behind().get(_PROGRAM)
    return state.pid if state.status.is_up else None


def _is_supervised(inputs: dict[str, Any]) -> bool:
    state = (_supervisord(inputs).find_programs() or {}).get(_PROGRAM)
    return state is not None and state.status.is_up


def _refuse_silence(inputs: dict[str, Any]) -> None:
    """A proxy that hangs is not replaced: nobody knows what it still holds, or for how long."""
    runtime, master = HaproxyRuntime(str(_run(inputs).stats_socket)), _master_pid(inputs)
    end = time.monotonic() + _START_GRACE_SECONDS
    while master is not None:
        try:
            runtime.worker_pid()
        except ProxyNotRunningError:
            return
        except DataPlaneError as error:
            if time.monotonic() > end:
                raise DataPlaneError(_silence(inputs["service"], runtime, master)) from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def _silence(service: str, runtime: HaproxyRuntime, master: int) -> str:
    group = orphans.group_of(master)
    listener = runtime.listener_pid()
    # One that has ended was a master that this proxy has relieved of its sockets.
    if listener is not None and listener not in group and orphans.is_alive(listener):
        return (
            f"{Holder(listener)} listens at {runtime.address} in place of the proxy of {service}; "
            "nothing was changed; delete that file and run `pulumi up` again, which makes it again"
        )
    workers = " ".join(str(pid) for pid in group if pid != master) or str(master)
    return (
        f"the proxy of {service} runs and does not answer at {runtime.address}; nothing was "
        f"changed; if it stays so, `kill -9 {workers}`: it is started again with the color that "
        "was live; then run `pulumi up` again"
    )


def _refuse_taken_ports(inputs: dict[str, Any], config: HaproxyConfig, fate: str) -> None:
    """Looks before HAProxy does: 2.6 refuses connections for 2 s while it tries in vain to bind."""
    uses = (
        (config.production_port, config.bind_address, "service.port"),
        (config.test_port, config.test_bind_address, "service.onprem.test_port"),
    )
    for port, host, setting in uses:
        holder = holder_of(port, host)
        if holder is not None and not _is_own(inputs, holder):
            msg = (
                f"port {port} for the proxy of {config.service} is taken by {holder}; the proxy "
                f"{fate}; free it or change {setting}"
            )
            raise DataPlaneError(msg)


def _is_own(inputs: dict[str, Any], holder: Holder) -> bool:
    # The proxy's workers are in the process group of its first process.
    if holder.pid is None:
        return False
    try:
        return os.getpgid(holder.pid) == _master_pid(inputs)
    except ProcessLookupError:
        return False


def _keep_map_key(inputs: dict[str, Any]) -> None:
    """Sees to it that the map can be read with the config, and says who is live."""
    run, service = _run(inputs), inputs["service"]
    file = MapFile(run.traffic_map)
    if file.read(service) is not None:
        return
    try:
        # A lost file: the proxy that runs still knows.
        live = HaproxyRuntime(str(run.stats_socket)).map_value(str(run.traffic_map), service)
    except DataPlaneError:
        live = None
    file.write(service, live or NOTHING_IS_LIVE)


def _start(inputs: dict[str, Any]) -> None:
    run, config = _run(inputs), _config(inputs)
    binary = _write_config(config, run.haproxy_config)
    supervisord = _supervisord(inputs)
    program = Program(
        name=_PROGRAM,
        command=(
            *(binary, "-W", "-db", "-f", str(run.haproxy_config)),
            *("-S", f"{run.master_socket},mode,600"),
        ),
        directory=str(run.path),
        stop_seconds=math.ceil(config.hard_stop_seconds),
    )
    former = supervisord.left_behind().get(_PROGRAM)
    if former is not None and _is_relieved(supervisord, program, config, former):
        return
    supervisord.put(program)
    if _worker(config.socket_path, within=_START_SECONDS) is None:
        raise _not_taken_over(supervisord, "did not answer")


def _is_relieved(
    supervisord: Supervisord, program: Program, config: HaproxyConfig, former: int
) -> bool:
    """Starts a proxy that takes over the sockets of one that a killed supervisord has left.

    Returns:
        False when it could not: then the other one has to be ended first.
    """
    worker = _worker(config.socket_path)
    if worker is None:
        return False
    # The former one finishes its requests, as after a reload, and ends.
    supervisord.put_beside(program, "-x", str(config.socket_path), "-sf", str(former))
    if _worker(config.socket_path, other_than=worker, within=_START_SECONDS) is None:
        supervisord.take(program.name)
        return False
    # What it still holds nobody else can count, and the members are replaced next.
    orphans.ends_within(former, config.hard_stop_seconds)
    return True


def _renew_socket(inputs: dict[str, Any]) -> None:
    """Gives a proxy whose socket has lost its name one that it answers on.

    A worker inherits the sockets of the one before and binds only those with another name. So the
    socket is given another name here, and its own by the config that is taken over next.
    """
    config = _config(inputs)
    detour = config.socket_path.with_name("renewed.sock")
    try:
        _take_over(inputs, replace(config, socket_path=detour))
    finally:
        detour.unlink(missing_ok=True)


def _take_over(inputs: dict[str, Any], config: HaproxyConfig) -> None:
    """Lets the running proxy take over a config; the map file keeps who is live."""
    path = _run(inputs).haproxy_config
    before = path.read_text(encoding="utf-8") if path.exists() else None
    former = _worker(config.socket_path)
    _write_config(config, path)
    try:
        _reload(inputs, config, former)
    except DataPlaneError:
        # Else the proxy's next start would go by a config that it has never run.
        if before is not None:
            write_private(path, before)
        raise


def _reload(inputs: dict[str, Any], config: HaproxyConfig, former: int | None) -> None:
    supervisord = _supervisord(inputs)
    end = time.monotonic() + _START_SECONDS
    is_repeated = False
    while time.monotonic() < end:
        _refuse_taken_ports(inputs, config, "was left as it was")
        # HAProxy 2.6 loses a signal in the first milliseconds of its master: send it again.
        supervisord.signal(_PROGRAM, signal.SIGUSR2)
        if _worker(config.socket_path, other_than=former, within=_RELOAD_SECONDS) is not None:
            # If the first one was only slow, a second worker is on its way; it must not arrive with
            # the map as it was, after a switch.
            time.sleep(_RELOAD_SECONDS if is_repeated else 0)
            return
        is_repeated = True
    raise _not_taken_over(supervisord, "did not take over its new config")


def _not_taken_over(supervisord: Supervisord, what: str) -> DataPlaneError:
    return DataPlaneError(
        f"the proxy {what} within {_START_SECONDS:g} seconds; run `pulumi up` again, which tries "
        f"again; the end of {supervisord.log_of(_PROGRAM)}:\n{supervisord.log_tail(_PROGRAM)}"
    )


def _binary() -> str | None:
    return shutil.which("haproxy", path=None) or shutil.which("haproxy", path="/usr/sbin")


def _write_config(config: HaproxyConfig, path: Path) -> str:
    binary = _binary()
    if binary is None:
        raise DataPlaneError(_NOT_INSTALLED)
    candidate = path.with_suffix(".cfg.new")
    write_private(candidate, config.render())
    try:
        check(binary, candidate)
        candidate.replace(path)
    finally:
        candidate.unlink(missing_ok=True)
    return binary


def _worker(socket_path: Path, other_than: int | None = None, within: float = 0.0) -> int | None:
    """The process that answers on a socket; None when none, or no other one, does in time."""
    runtime = HaproxyRuntime(str(socket_path))
    end = time.monotonic() + within
    while True:
        with contextlib.suppress(DataPlaneError):
            if (pid := runtime.worker_pid()) != other_than:
                return pid
        if time.monotonic() >= end:
            return None
        time.sleep(_POLL_SECONDS)


def _is_as_written(inputs: dict[str, Any]) -> bool:
    run, config = _run(inputs), _config(inputs)
    if not run.haproxy_config.exists() or MapFile(run.traffic_map).read(config.service) is None:
        return False
    is_same = run.haproxy_config.read_text(encoding="utf-8") == config.render()
    return is_same and _is_supervised(inputs) and _worker(config.socket_path) is not None


class LocalHaproxy(LiveResource, module="onprem", name="LocalHaproxy"):
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
        owner: pulumi.Input[str] = "",
    ) -> None:
        """Registers the proxy.

        Args:
            name: Name of the resource.
            settings: The service that it is for.
            run_directory: Where the service's process manager is.
            opts: Options of the resource.
            owner: Whose run directory it is, as its `Supervisor` says: nothing is started or ended
                in the directory of somebody else. Empty: nobody looks.
        """
        onprem = settings.onprem
        props = {
            "run_directory": run_directory,
            "owner": owner,
            "service": settings.name,
            "bind_address": onprem.bind_address,
            "production_port": settings.port,
            "test_port": onprem.test_port,
            "health_check": settings.health_check.model_dump(),
            **{f"{color}_ports": list(onprem.ports_of(color)) for color in Color},
        }
        super().__init__(_Provider(), name, props | dict.fromkeys(_COMPUTED), opts)
