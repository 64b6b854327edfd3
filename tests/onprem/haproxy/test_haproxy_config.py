"""The configuration file: what is refused before HAProxy sees it, and what HAProxy says to it."""

from pathlib import Path

import pytest

from bluegreen.colors import Color
from bluegreen.errors import ConfigError
from bluegreen.onprem.haproxy_config import HaproxyConfig, check, external_snippet
from bluegreen.onprem.traffic_map import MapFile

BLUE, GREEN = Color


def a_config(directory=Path("/run/shop"), **fields):
    defaults = {
        "service": "shop",
        "production_port": 8080,
        "test_port": 8081,
        "member_ports": {BLUE: (8101, 8102), GREEN: (8201, 8202)},
        "socket_path": directory / "haproxy.sock",
        "map_path": directory / "traffic.map",
    }
    return HaproxyConfig(**{**defaults, **fields})


def test_the_same_values_render_the_same_file():
    assert a_config().render() == a_config().render()


def test_a_fast_interval_is_not_rechecked_more_slowly():
    text = a_config(interval_seconds=0.1, timeout_seconds=0.1, recheck_seconds=0.25).render()

    assert "inter 100ms fastinter 100ms downinter 100ms" in text


def test_every_slot_is_a_server_for_life():
    text = a_config().render()

    assert [line.split()[1:3] for line in text.splitlines() if line.startswith("  server ")] == [
        ["blue-1", "127.0.0.1:8101"],
        ["blue-2", "127.0.0.1:8102"],
        ["green-1", "127.0.0.1:8201"],
        ["green-2", "127.0.0.1:8202"],
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"log_to_stdout": True},
        {"bind_address": "::1", "test_bind_address": "0.0.0.0", "member_address": "localhost"},
        {"health_check_path": "/health?deep=1&q=a,b;c%20d!*"},
        {"pin_header": "X_Color", "cohort_cookie": "c-1"},
        {"service": "a.b:c_d-1", "retries": 0, "interval_seconds": 0.001, "timeout_seconds": 0.001},
        {"member_ports": {BLUE: tuple(range(10000, 10100)), GREEN: (20000,)}},
    ],
)
def test_haproxy_accepts_what_we_accept(haproxy, tmp_path, fields):
    config = a_config(**{**fields, "map_path": tmp_path / "traffic.map"})
    MapFile(config.map_path).write("shop", "none,none,0")
    path = tmp_path / "haproxy.cfg"
    path.write_text(config.render(), encoding="utf-8")

    check(haproxy, path)


@pytest.mark.parametrize(("size", "is_accepted"), [(97, True), (98, False)])
def test_the_longest_socket_path_is_the_longest_that_haproxy_takes(
    haproxy, tmp_path, size, is_accepted
):
    socket_path = Path("/tmp/" + "s" * (size - 5))
    stand_in = Path("/tmp/" + "s" * 80)
    config = a_config(map_path=tmp_path / "traffic.map", socket_path=stand_in)
    MapFile(config.map_path).write("shop", "none,none,0")
    path = tmp_path / "haproxy.cfg"
    path.write_text(config.render().replace(str(stand_in), str(socket_path)), encoding="utf-8")

    def accepts(judge):
        try:
            judge()
        except ConfigError:
            return False
        return True

    assert accepts(lambda: check(haproxy, path)) == is_accepted
    assert accepts(lambda: a_config(socket_path=socket_path)) == is_accepted


def test_what_haproxy_refuses_comes_with_its_own_words(haproxy, tmp_path):
    path = tmp_path / "haproxy.cfg"
    path.write_text("global\n  make-coffee\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="unknown keyword 'make-coffee'"):
        check(haproxy, path)


def test_a_binary_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot run /no/haproxy: No such file"):
        check("/no/haproxy", tmp_path / "haproxy.cfg")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"service": "my shop"}, "service 'my shop' must be"),
        ({"service": ""}, "service '' must be"),
        ({"service": "a\n  daemon"}, "service .* must be"),
        ({"test_port": 8080}, "test_port 8080 is taken by production_port"),
        ({"test_port": 8201}, r"member_ports.green\[0\] 8201 is taken by test_port"),
        ({"production_port": 0}, "production_port 0 must be 1 to 65535"),
        ({"test_port": 65536}, "test_port 65536 must be 1 to 65535"),
        ({"member_ports": {BLUE: (1,), GREEN: ()}}, "member_ports has no slot for green"),
        ({"member_ports": {BLUE: (1, 1), GREEN: (2,)}}, r"blue\[1\] 1 is taken by .*blue\[0\]"),
        ({"socket_path": Path("/" + "s" * 97)}, "98 bytes; HAProxy's limit is 97"),
        ({"socket_path": Path("/" + "ä" * 40)}, "socket_path .* must be absolute and hold"),
        ({"socket_path": Path("haproxy.sock")}, "socket_path 'haproxy.sock' must be absolute"),
        ({"map_path": Path("/a b/traffic.map")}, "map_path '/a b/traffic.map' must be absolute"),
        ({"map_path": Path("/a,b(c)")}, "map_path .* must be absolute and hold"),
        ({"health_check_path": "health"}, "health_check_path 'health' must start with /"),
        ({"health_check_path": '/a" #'}, "health_check_path .* must start with /"),
        ({"bind_address": "1.2.3.4 ssl"}, "bind_address '1.2.3.4 ssl' must be an IP address"),
        ({"member_address": "fe80::1%a b"}, "member_address .* must be an IP address"),
        ({"pin_header": "X Color"}, "pin_header 'X Color' must be"),
        ({"cohort_cookie": "a=b"}, "cohort_cookie 'a=b' must be"),
        ({"interval_seconds": 0}, "interval_seconds 0 must be 0.001 to 86400"),
        ({"interval_seconds": float("nan")}, "interval_seconds nan must be"),
        ({"timeout_seconds": 3}, "timeout_seconds 3 is longer than interval_seconds 2"),
        ({"healthy_threshold": 0}, "healthy_threshold 0 must be 1 to 100"),
        ({"retries": -1}, "retries -1 must be 0 to 100"),
    ],
)
def test_what_haproxy_could_not_run_is_refused(fields, problem):
    with pytest.raises(ConfigError, match=problem):
        a_config(**fields)


def test_all_problems_are_reported_at_once():
    with pytest.raises(ConfigError) as caught:
        a_config(service="my shop", test_port=8080, retries=-1)
    assert len(caught.value.problems) == 3


def test_a_snippet_with_words_that_break_the_file_is_refused():
    with pytest.raises(ConfigError) as caught:
        external_snippet("my shop", map_path=Path("maps"), pin_header="a b", cohort_cookie="")
    assert len(caught.value.problems) == 4


def test_the_snippet_names_what_its_owner_has_to_bring():
    text = external_snippet("shop", map_path=Path("/etc/haproxy/traffic.map"))

    assert "/etc/haproxy/traffic.map with one line: shop none,none,0" in text
    assert "shop-blue and shop-green" in text
