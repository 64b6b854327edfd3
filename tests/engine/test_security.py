"""What others on the machine can see and reach: nothing but what was asked for."""

import stat
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from bluegreen.onprem.supervisord import Supervisord
from tests.engine.onprem_driver import OnPremDriver

SECRET = "hunter2-visibly-fake"


@pytest.fixture
def two_colors(onprem: OnPremDriver) -> OnPremDriver:
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    return onprem


def files_in(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_file())


def holding(secret: str, directory: Path) -> set[str]:
    """The files below a directory that have a secret in them."""
    return {
        str(path.relative_to(directory))
        for path in files_in(directory)
        if secret.encode() in path.read_bytes()
    }


def processes_of(driver: OnPremDriver) -> set[int]:
    """The supervisord of a service and all that it has started, and what that has started."""
    supervisord = Supervisord(driver.run_directory.path)
    found = {supervisord.pid()}
    while True:
        children = {
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/stat")
            if int(path.read_text().rpartition(")")[2].split()[1]) in found
        }
        if children <= found:
            return {pid for pid in found if pid}
        found |= children


def listening(pids: set[int]) -> set[str]:
    """Every TCP address that processes listen at."""
    inodes = {
        str(link.readlink()).removeprefix("socket:[").removesuffix("]")
        for pid in pids
        for link in Path(f"/proc/{pid}/fd").iterdir()
    }
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                host, _, port = words[1].partition(":")
                shown = str(IPv4Address(bytes.fromhex(host)[::-1])) if len(host) == 8 else host
                addresses.add(f"{shown}:{int(port, 16)}")
    return addresses


@pytest.mark.parametrize("bind_address", ["127.0.0.1", "0.0.0.0"])
def test_nothing_listens_but_what_was_asked_for(two_colors: OnPremDriver, bind_address: str):
    driver = two_colors
    driver.configure("service.onprem.bind_address", bind_address)
    result = driver.up()
    assert result.ok, result

    addresses = listening(processes_of(driver))

    settings_of_members = {driver.port + 2, driver.port + 6}
    # The test endpoint and the members are for this machine, whoever may reach production.
    assert addresses == {
        f"{bind_address}:{driver.port}",
        f"127.0.0.1:{driver.port + 1}",
        *(f"127.0.0.1:{port}" for port in settings_of_members),
    }


def test_files_and_sockets_are_for_their_owner_only(two_colors: OnPremDriver):
    driver = two_colors
    assert driver.up().ok
    driver.configure("active_color", "green")
    assert driver.up().ok

    modes = {
        str(path.relative_to(driver.run_directory.path)): path.lstat().st_mode
        for path in driver.run_directory.path.rglob("*")
    }

    sockets = {name: mode for name, mode in modes.items() if stat.S_ISSOCK(mode)}
    assert {name: stat.S_IMODE(mode) for name, mode in sockets.items()} == {
        "haproxy.sock": 0o600,
        "master.sock": 0o600,
        "supervisor.sock": 0o600,
    }
    directories = {name: mode for name, mode in modes.items() if stat.S_ISDIR(mode)}
    assert {stat.S_IMODE(mode) for mode in directories.values()} == {0o700}
    files = modes.keys() - sockets.keys() - directories.keys()
    assert {"active.json", "events.jsonl", "haproxy.cfg", "traffic.map"} <= files
    assert {name: oct(modes[name]) for name in files if modes[name] & 0o137} == {}


def test_a_secret_is_where_it_is_needed_and_nowhere_else(two_colors: OnPremDriver):
    driver = two_colors
    for key in ("blue.env.PASSWORD", "green.env.PASSWORD"):
        driver.stack.run("config", "set", "--secret", "--path", f"shop:{key}", SECRET)
    results = [driver.preview(), driver.up(), driver.refresh()]
    driver.configure("active_color", "green")
    results += [driver.preview(), driver.up()]
    assert all(result.ok for result in results), results
    # One that fails, with the secret in its log.
    telling = "sh -c 'echo the password is $PASSWORD; exit 1'"
    driver.configure("blue.command", telling)
    driver.configure("service.onprem.start_timeout_seconds", 10)
    failed = driver.up()
    driver.configure("blue.command", None)
    # One that a gate refuses.
    driver.configure("blue.env.APP_MODE", "broken")
    driver.configure("active_color", "blue")
    refused = driver.up()

    assert not failed.ok
    assert "the password is [secret]" in failed.text
    assert not refused.ok
    assert "refused" in refused.text
    seen = [result.text for result in (*results, failed, refused)]
    seen += [str(driver.outputs()), str(driver.events()), driver.stack.run("config").text]
    assert not [text for text in seen if SECRET in text]
    # What state, backups and history keep is encrypted.
    assert holding(SECRET, driver.stack.directory / "engine" / "state") == set()
    assert SECRET not in driver.stack.config_file.read_text()
    in_run_directory = holding(SECRET, driver.run_directory.path)
    expected = {name for name in in_run_directory if name.startswith("programs/")}
    # supervisord needs it to start a member again; the log is what the member itself wrote.
    assert in_run_directory - expected == {"logs/blue-0.log"}
    assert all(name.endswith(".json") for name in expected)
    assert {name.split("/")[1].split(".")[0] for name in expected} <= {"blue-0", "green-0"}


def test_a_secret_is_in_no_command_line_and_nobody_gets_those_of_the_stack(
    two_colors: OnPremDriver,
):
    driver = two_colors
    driver.stack.run("config", "set", "--secret", "--path", "shop:blue.env.PASSWORD", SECRET)
    assert driver.up().ok
    processes = processes_of(driver)

    assert [pid for pid in processes if SECRET.encode() in environment_of(pid)]
    assert not [pid for pid in processes if SECRET.encode() in command_of(pid)]
    # The passphrase and the tokens of a stack have names that begin so.
    assert not [pid for pid in processes if b"PULUMI_" in environment_of(pid)]


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()
