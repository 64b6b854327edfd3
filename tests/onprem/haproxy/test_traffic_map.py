"""The one value, and the file that keeps it."""

import contextlib
import fcntl
import os
import resource
import stat
import threading

import pytest

from bluegreen.colors import Color
from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem import traffic_map
from bluegreen.onprem.traffic_map import NOTHING_IS_LIVE, MapFile, RoutedTraffic
from bluegreen.traffic import Route, TrafficSplit

BLUE, GREEN = Color
SHOP = RoutedTraffic.of_service("shop")


def test_the_value_says_everything_in_one_string():
    assert SHOP.encode(Route(BLUE, TrafficSplit(blue=95, green=5))) == "shop-blue,shop-green,5"
    assert SHOP.encode(Route(GREEN, TrafficSplit.all_to(GREEN))) == "shop-green,shop-blue,0"


@pytest.mark.parametrize("active", list(Color))
def test_what_was_encoded_is_decoded(active):
    routes = [Route(active, TrafficSplit.with_canary(active, percent)) for percent in range(100)]

    assert [SHOP.decode(SHOP.encode(route)) for route in routes] == routes


def test_the_first_value_means_that_nothing_is_live():
    assert SHOP.decode(NOTHING_IS_LIVE) is None


def test_an_active_color_with_no_traffic_is_no_value():
    with pytest.raises(ConfigError, match="active color blue gets nothing of 100 % green"):
        SHOP.encode(Route(BLUE, TrafficSplit.all_to(GREEN)))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "none",
        "none,none,5",
        "shop-blue",
        "shop-blue,shop-green",
        "shop-blue,shop-green,",
        "shop-blue,shop-green,100",
        "shop-blue,shop-green,-1",
        "shop-blue,shop-green,05",
        "shop-blue,shop-green,5,6",
        "shop-blue,shop-green,\u0665",
        "shop-blue,shop-blue,0",
        "shop-blue, shop-green,0",
        "shop-blue,shop-green,0\n",
        "news-blue,news-green,0",
    ],
)
def test_a_value_that_nobody_encoded_is_shown_not_guessed(value):
    with pytest.raises(DataPlaneError) as caught:
        SHOP.decode(value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("backends", "problem"),
    [
        ({BLUE: "a"}, "color green has no backend"),
        ({BLUE: "a", GREEN: "a"}, "both colors have the backend 'a'"),
        ({BLUE: "a,b", GREEN: "c"}, "backend name of blue 'a,b' must be"),
    ],
)
def test_backends_that_one_value_cannot_tell_apart_are_refused(backends, problem):
    with pytest.raises(ConfigError, match=problem):
        RoutedTraffic(backends)


def test_a_new_file_is_for_its_owner_only(tmp_path):
    file = MapFile(tmp_path / "traffic.map")
    assert file.read("shop") is None

    file.write("shop", NOTHING_IS_LIVE)

    assert file.read("shop") == NOTHING_IS_LIVE
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_comments_other_keys_and_the_mode_stay(tmp_path):
    file = MapFile(tmp_path / "traffic.map")
    file.path.write_bytes(b"# ours \xff\n\n  news \t news-blue,news-green,0 \nshop a\r\n#shop no\n")
    file.path.chmod(0o640)

    file.write("shop", "shop-green,shop-blue,5")

    assert file.path.read_bytes() == (
        b"# ours \xff\n\n  news \t news-blue,news-green,0 \nshop shop-green,shop-blue,5\n#shop no\n"
    )
    assert file.read("news") == "news-blue,news-green,0"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o640


def test_a_key_that_was_there_twice_is_there_once(tmp_path):
    file = MapFile(tmp_path / "traffic.map")
    file.path.write_text("shop a\nnews b\nshop c\n", encoding="utf-8")

    file.write("shop", "d")

    assert file.path.read_text(encoding="utf-8") == "shop d\nnews b\n"


def test_a_link_to_the_map_stays_a_link(tmp_path):
    real, link = tmp_path / "real.map", tmp_path / "link.map"
    real.write_text("shop a\n", encoding="utf-8")
    link.symlink_to(real)

    MapFile(link).write("shop", "b")

    assert link.is_symlink()
    assert MapFile(real).read("shop") == "b"


def test_concurrent_writers_lose_no_key_and_no_reader_sees_half_a_file(tmp_path):
    path = tmp_path / "traffic.map"
    MapFile(path).write("shop", "start")
    seen, done = [], threading.Event()

    def write(writer):
        for index in range(15):
            MapFile(path).write(f"key-{writer}-{index}", "value")

    def read():
        while not done.is_set():
            seen.append(MapFile(path).read("shop"))

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()

    keys = [f"key-{writer}-{index}" for writer in range(6) for index in range(15)]
    assert [key for key in keys if MapFile(path).read(key) != "value"] == []
    assert set(seen) == {"start"}
    assert {entry.name for entry in tmp_path.iterdir()} == {"traffic.map", "traffic.map.lock"}


@contextlib.contextmanager
def files_of_at_most(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_more_leaves_the_old_file_and_says_so(tmp_path):
    file = MapFile(tmp_path / "traffic.map")
    file.write("shop", "shop-blue,shop-green,0")

    with (
        files_of_at_most(10),
        pytest.raises(DataPlaneError, match=r"File too large; the switch did not happen"),
    ):
        file.write("shop", "shop-green,shop-blue,0")

    assert file.read("shop") == "shop-blue,shop-green,0"
    assert {entry.name for entry in tmp_path.iterdir()} == {"traffic.map", "traffic.map.lock"}


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(DataPlaneError, match=r"gone/traffic\.map: No such file.*did not happen"):
        MapFile(tmp_path / "gone" / "traffic.map").write("shop", "a")


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not hold root back")
def test_a_directory_without_permission_is_an_error_of_the_data_plane(tmp_path):
    file = MapFile(tmp_path / "traffic.map")
    file.write("shop", "a")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DataPlaneError, match="Permission denied; the switch did not happen"):
            file.write("shop", "b")
    finally:
        tmp_path.chmod(0o700)


def test_a_map_that_cannot_be_read_is_an_error_of_the_data_plane(tmp_path):
    with pytest.raises(DataPlaneError, match=r"cannot read the traffic map .*Is a directory"):
        MapFile(tmp_path).read("shop")


def test_a_lock_that_nobody_lets_go_ends_the_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(traffic_map, "_LOCK_TIMEOUT_SECONDS", 0.1)
    file = MapFile(tmp_path / "traffic.map")
    with (tmp_path / "traffic.map.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(DataPlaneError, match=r"traffic\.map\.lock for 0\.1 s; the switch did"):
            file.write("shop", "a")

    assert file.read("shop") is None


@pytest.mark.parametrize(("key", "value"), [("a b", "c"), ("#a", "c"), ("a", "b c"), ("a", "b\n")])
def test_a_word_that_would_read_back_differently_is_refused(tmp_path, key, value):
    with pytest.raises(ConfigError, match="must be one word"):
        MapFile(tmp_path / "traffic.map").write(key, value)
    assert list(tmp_path.iterdir()) == []
