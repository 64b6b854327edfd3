"""The runtime client, against HAProxy and against everything that is not HAProxy."""

import contextlib
import socket
import statistics
import threading
import time

import pytest

from bluegreen.colors import Color
from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime, ProxyNotRunningError
from tests.onprem.haproxy.proxy import SERVICE, a_proxy, eventually
from tests.ports import free_port

BLUE, GREEN = Color


@contextlib.contextmanager
def a_server_that(answers):
    """A runtime API of our own making: `answers` gets each accepted connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    answers(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def says(*answers):
    left = list(answers)

    def answer(connection):
        connection.recv(4096)
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return answer


def test_set_map_changes_a_key_and_says_how_long_it_took(proxy):
    path = str(proxy.config.map_path)
    times = [proxy.route(color) for color in list(Color) * 25]

    print(f"set map: median {statistics.median(times):.2f} ms, largest {max(times):.2f} ms of 50")
    assert 0 < statistics.median(times) < 50
    assert proxy.runtime.map_value(path, SERVICE) == "shop-green,shop-blue,0"


def test_set_map_adds_a_key_that_is_new_and_leaves_the_others(proxy):
    path = str(proxy.config.map_path)
    proxy.route(BLUE)
    assert proxy.runtime.map_value(path, "news") is None

    proxy.runtime.set_map(path, "news", "news-blue,news-green,5")
    proxy.runtime.set_map(path, "news", "news-green,news-blue,0")

    assert proxy.runtime.map_value(path, "news") == "news-green,news-blue,0"
    assert proxy.runtime.map_value(path, SERVICE) == "shop-blue,shop-green,0"
    assert proxy.runtime.command(f"show map {path}").count("news") == 3


def test_an_answer_of_many_lines_comes_back_whole(proxy):
    path = str(proxy.config.map_path)
    for start in range(0, 3000, 100):
        line = "; ".join(f"add map {path} key-{n} value" for n in range(start, start + 100))
        assert not proxy.runtime.command(line)

    lines = proxy.runtime.command(f"show map {path}").splitlines()

    assert len([line for line in lines if " key-" in line]) == 3000


def test_a_backend_says_how_many_servers_are_up(proxy):
    state = proxy.runtime.backend("shop-blue")

    assert (state.servers_up, state.sessions) == (2, 0)


def test_an_unknown_backend_is_named(proxy):
    with pytest.raises(DataPlaneError, match="has no backend 'shop-red'"):
        proxy.runtime.backend("shop-red")


def test_an_unknown_map_is_named(proxy):
    with pytest.raises(DataPlaneError, match=r"'get map /no\.map shop'.*Unknown map.*was not done"):
        proxy.runtime.set_map("/no.map", SERVICE, "x")


def test_an_unknown_command_is_refused(proxy):
    with pytest.raises(DataPlaneError, match="'make coffee' with 'Unknown command"):
        proxy.runtime.command("make coffee")


@pytest.mark.parametrize("value", ["a b", "a;quit", "a\nquit", "", "a\\b", 'a"b', "<<", "ä"])
def test_a_value_that_would_not_arrive_as_it_is_is_refused_before_it_is_sent(value):
    runtime = HaproxyRuntime("/nowhere/haproxy.sock")

    with pytest.raises(ConfigError, match="must be one word"):
        runtime.set_map("/traffic.map", SERVICE, value)


@pytest.mark.parametrize("line", ["", " ", "show info\nshow stat"])
def test_a_command_is_one_line(line):
    with pytest.raises(ConfigError, match="must be one line"):
        HaproxyRuntime("/nowhere/haproxy.sock").command(line)


def test_the_worker_says_who_it_is_and_since_when(proxy):
    worker = proxy.runtime.worker()

    assert worker.pid == proxy.runtime.worker_pid() != proxy.process.pid
    assert 0 <= worker.uptime_seconds < 120
    assert worker.version.startswith(tuple("23456789"))


def test_the_runtime_api_may_be_on_tcp(haproxy, members):
    port = free_port()

    def also_on_tcp(text):
        return text.replace("global\n", f"global\n  stats socket 127.0.0.1:{port} level admin\n")

    with a_proxy(haproxy, members, edit=also_on_tcp) as (proxy, _):
        proxy.start()
        runtime = HaproxyRuntime(f"127.0.0.1:{port}")
        runtime.set_map(str(proxy.config.map_path), SERVICE, "shop-green,shop-blue,0")

        assert proxy.production().body == GREEN


def test_a_command_above_the_level_of_the_socket_is_refused(haproxy, members):
    def read_only(text):
        return text.replace("level admin", "level user")

    with a_proxy(haproxy, members, edit=read_only) as (proxy, _):
        proxy.start()

        with pytest.raises(DataPlaneError, match=r"Permission denied.*not done.*level admin"):
            proxy.runtime.command("disable server shop-blue/blue-1")


def test_a_value_that_stays_is_left_alone(proxy):
    path = str(proxy.config.map_path)
    proxy.route(BLUE)

    assert proxy.runtime.settle_map(path, SERVICE, "shop-blue,shop-green,0", seconds=0.05) == 0


def test_somebody_elses_write_is_not_overwritten(proxy):
    path = str(proxy.config.map_path)
    proxy.route(GREEN)
    eventually(lambda: proxy.runtime.worker().uptime_seconds > 1, "it is no young worker")

    with pytest.raises(DataPlaneError, match="'shop-green,shop-blue,0' right after a switch"):
        proxy.runtime.settle_map(path, SERVICE, "shop-blue,shop-green,0", seconds=0.05)

    assert proxy.production().body == GREEN


def test_a_missing_socket_is_named_with_what_was_not_done(tmp_path):
    runtime = HaproxyRuntime(str(tmp_path / "h.sock"))

    with pytest.raises(
        ProxyNotRunningError, match=r"h\.sock: No such file.*'get map .*' was not done"
    ):
        runtime.set_map("/traffic.map", SERVICE, "a,b,0")


def test_a_socket_that_nobody_listens_on_is_refused(tmp_path):
    path = str(tmp_path / "h.sock")
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(path)

    with pytest.raises(ProxyNotRunningError, match="refused"):
        HaproxyRuntime(path).worker_pid()
    with pytest.raises(ProxyNotRunningError, match="refused"):
        HaproxyRuntime(f"127.0.0.1:{free_port()}").worker_pid()


@pytest.mark.parametrize("drips", [False, True])
def test_a_server_that_never_finishes_its_answer_holds_nobody(drips):
    over = threading.Event()

    def never_finishes(connection):
        for _ in range(400):
            if over.wait(0.05):
                return
            if drips:
                connection.sendall(b"x\n")

    with a_server_that(never_finishes) as address:
        began = time.monotonic()
        with pytest.raises(
            DataPlaneError, match=r"not answer within 0\.3 s; whether .* not known"
        ) as raised:
            HaproxyRuntime(address, timeout_seconds=0.3).command("show info")
        took = time.monotonic() - began
        over.set()

    assert 0.3 <= took < 10
    # Somebody is there: what it routes is not known.
    assert not isinstance(raised.value, ProxyNotRunningError)


@pytest.mark.parametrize(
    "answer", [b"", b"\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\x00\x9f" * 99, b"# pxname\n"]
)
def test_an_answer_that_is_not_haproxys_is_an_error_of_the_data_plane(answer):
    with a_server_that(says(answer)) as address:
        runtime = HaproxyRuntime(address)
        asks = [
            runtime.worker_pid,
            lambda: runtime.backend("shop-blue"),
            lambda: runtime.map_value("/traffic.map", SERVICE),
            lambda: runtime.set_map("/traffic.map", SERVICE, "a,b,0"),
        ]
        for ask in asks:
            with pytest.raises(DataPlaneError, match=address):
                ask()


def test_a_write_that_does_not_show_is_not_believed():
    still_old = b'type=str, found=yes, idx=tree, key="shop", value="a,b,0", type="str"\n'

    with (
        a_server_that(
            says(
                still_old,
                b"\n",
                still_old,
                still_old,
                b"\n",
                still_old,
                still_old,
                b"\n",
                still_old,
            )
        ) as address,
        pytest.raises(DataPlaneError, match=r"took 'set map .*' but still says 'a,b,0'"),
    ):
        HaproxyRuntime(address).set_map("/traffic.map", SERVICE, "b,a,0")


STATISTICS = b"# svname,scur,status,check_status\nblue-0,0,UP,L7OK\nBACKEND,0,UP,\n"
PROCESSES = b"#<PID> <type>\n7 master 0\n# workers\n9 worker 0\n# old workers\n"
A_FORMER_ONE = PROCESSES + b"8 worker 1\n"
HOLDS_ONE = STATISTICS.replace(b",0,UP", b",1,UP")


@pytest.mark.parametrize(
    ("answers", "sessions"),
    [
        # A worker that ends answers nobody, before its master takes it out of the list.
        ([A_FORMER_ONE, b"", A_FORMER_ONE, b"", PROCESSES], 0),
        ([A_FORMER_ONE, b"", A_FORMER_ONE, HOLDS_ONE], 1),
        ([PROCESSES], 0),
    ],
    ids=["ends meanwhile", "answers late", "none"],
)
def test_a_worker_from_before_a_reload_counts_until_it_has_ended(answers, sessions):
    with a_server_that(says(STATISTICS)) as worker, a_server_that(says(*answers)) as master:
        runtime = HaproxyRuntime(worker, master_address=master)

        assert runtime.backend("shop-blue").sessions == sessions


def test_a_worker_from_before_a_reload_that_stays_silent_is_not_taken_for_ended():
    def stays_silent(connection):
        if connection.recv(4096).startswith(b"show proc"):
            connection.sendall(A_FORMER_ONE)

    with a_server_that(says(STATISTICS)) as worker, a_server_that(stays_silent) as master:
        runtime = HaproxyRuntime(worker, timeout_seconds=0.3, master_address=master)

        with pytest.raises(DataPlaneError, match=r"without an answer.*'@!8 show stat shop-blue"):
            runtime.backend("shop-blue")


@pytest.mark.parametrize("address", ["", "haproxy", "localhost:", ":9999", "localhost:http"])
def test_an_address_is_a_socket_path_or_a_host_and_a_port(address):
    with pytest.raises(ConfigError, match="path of a unix socket or host:port"):
        HaproxyRuntime(address)


def test_a_socket_path_that_no_socket_can_have_is_refused():
    with pytest.raises(ConfigError, match="108 bytes; the limit is 107"):
        HaproxyRuntime("/" + "x" * 107)
