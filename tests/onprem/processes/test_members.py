"""The fleet of one color as real processes."""

import os
import re
import signal
import socket
import threading
import time

import httpx
import pytest

from bluegreen.colors import Color
from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem import members as members_module
from bluegreen.onprem import orphans
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.members import (
    FleetSpec,
    end_members,
    live_members,
    matches,
    render_command,
)
from bluegreen.onprem.ports import taken_by
from bluegreen.onprem.server_slots import ServerSlots
from tests.ports import free_ports


def converge(supervisord, fleet):
    """Without a proxy in front of them."""
    runtime = HaproxyRuntime(str(supervisord.directory / "haproxy.sock"))
    slots = ServerSlots(runtime, f"shop-{fleet.color}", fleet.color, drain_seconds=5)
    return members_module.converge(supervisord, fleet, slots)


@pytest.fixture
def a_fleet(server, scratch):
    ports = free_ports(3)

    def build(**values):
        defaults = {
            "service": "shop",
            "color": Color.GREEN,
            "release": "1.0",
            "command": f"{server} {{port}}",
            "directory": str(scratch),
            "ports": ports,
            "replicas": 2,
            "readiness_path": "/ready",
            "readiness_timeout_seconds": 15,
            "stop_seconds": 5,
        }
        return FleetSpec(**{**defaults, **values})

    return build


@pytest.fixture
def no_trial_second(monkeypatch):
    """Spares a second per wave of starts where nothing ends at once."""
    monkeypatch.setattr(members_module, "_START_SECONDS", 0)


def ask(port):
    return httpx.get(f"http://127.0.0.1:{port}/", timeout=5, trust_env=False).json()


def pids(members):
    return [member.pid for member in members]


def test_every_member_is_ready_on_its_own_port_and_knows_who_it_is(supervisord, a_fleet):
    fleet = a_fleet(environment={"GREETING": "it's 100%"})

    members = converge(supervisord, fleet)

    assert [member.index for member in members] == [0, 1]
    assert all(member.is_running and member.release == "1.0" for member in members)
    for member, port in zip(members, fleet.ports, strict=False):
        assert member.port == port
        seen = ask(port)
        assert seen["PID"] == member.pid
        assert seen["PORT"] == str(port)
        assert seen["GREETING"] == "it's 100%"
        assert (seen["BLUEGREEN_COLOR"], seen["BLUEGREEN_RELEASE"]) == ("green", "1.0")
        assert seen["BLUEGREEN_SERVICE"] == "shop"
    assert matches(supervisord, fleet)


@pytest.mark.usefixtures("no_trial_second")
def test_members_that_match_are_left_alone_and_only_the_missing_one_is_started(
    supervisord, a_fleet
):
    before = converge(supervisord, a_fleet(replicas=1))

    after = converge(supervisord, a_fleet(replicas=2))

    assert len(after) == 2
    assert after[0] == before[0]
    assert converge(supervisord, a_fleet(replicas=2)) == after


@pytest.mark.usefixtures("no_trial_second")
@pytest.mark.parametrize(
    "again",
    [
        pytest.param(lambda run, fleet: converge(run, fleet(replicas=1)), id="shrink"),
        pytest.param(lambda run, _: end_members(run, Color.GREEN), id="end"),
    ],
)
def test_what_a_killed_shrink_has_left_of_a_member_is_deleted_by_the_next(
    supervisord, a_fleet, no_trial_second, again
):
    converge(supervisord, a_fleet())
    files = [*supervisord.directory.glob("p*/green-1.*")]
    left = {path: path.read_bytes() for path in files if path.suffix == ".json"}
    assert len(left) == 2
    converge(supervisord, a_fleet(replicas=1))
    # As after a kill between the end of the process and that of its records.
    for path, content in left.items():
        path.write_bytes(content)

    again(supervisord, a_fleet)

    assert [*supervisord.directory.glob("p*/green-1.*")] == []


def test_a_surplus_is_stopped_with_the_highest_index_first(supervisord, a_fleet, monkeypatch):
    before = converge(supervisord, a_fleet(replicas=3))
    taken, take = [], supervisord.take
    monkeypatch.setattr(supervisord, "take", lambda *names: (taken.append(names), take(*names)))

    after = converge(supervisord, a_fleet(replicas=1))

    assert taken == [("green-2", "green-1")]
    assert after == before[:1]
    assert not any(orphans.is_alive(pid) for pid in pids(before[1:]))
    assert converge(supervisord, a_fleet(replicas=0)) == []
    assert matches(supervisord, a_fleet(replicas=0))
    assert live_members(supervisord, Color.GREEN, ()) == []


@pytest.mark.usefixtures("no_trial_second")
def test_a_change_never_takes_all_members_away_at_once(supervisord, a_fleet):
    # Slow to come up: without waiting, both would be down together.
    slow = {"environment": {"SLOW": "0.3"}, "replicas": 2}
    before = converge(supervisord, a_fleet(**slow))
    is_over, fewest = threading.Event(), []

    def watch():
        while not is_over.is_set():
            up = 0
            for member in before:
                with socket.socket() as connection:
                    up += connection.connect_ex(("127.0.0.1", member.port)) == 0
            fewest.append(up)
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    after = converge(supervisord, a_fleet(**slow, release="2.0"))
    is_over.set()
    watcher.join()

    assert min(fewest) == 1
    assert {member.release for member in after} == {"2.0"}
    assert {ask(member.port)["BLUEGREEN_RELEASE"] for member in after} == {"2.0"}
    assert not set(pids(before)) & set(pids(after))


def test_a_change_that_fails_in_its_first_half_does_not_touch_the_second(supervisord, a_fleet):
    before = converge(supervisord, a_fleet())

    with pytest.raises(DataPlaneError, match="green member 0 of shop did not become ready"):
        converge(supervisord, a_fleet(command="sh -c 'exit 3'", release="2.0"))

    (left,) = live_members(supervisord, Color.GREEN, a_fleet().ports)
    assert left == before[1]
    assert ask(left.port)["BLUEGREEN_RELEASE"] == "1.0"


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (
            {"command": "sh -c 'echo out of beans; exit 3'"},
            r"(?s)port \d+: its command ended at once; it was .*out of beans",
        ),
        ({"command": "no-such-program {port}"}, "(?s)cannot run 'no-such-program' in .*No such"),
        ({"directory": "/no/such/directory"}, "(?s)cannot run .* in '/no/such/directory'"),
        (
            {"command": "sleep 1000", "readiness_timeout_seconds": 1.2},
            r"within 1.2 s: GET http://127.0.0.1:\d+/ready: .*refused",
        ),
        (
            {"environment": {"UNREADY": "/"}, "readiness_timeout_seconds": 1.5},
            "not within 1.5 s: GET .* answered 503",
        ),
        (
            {"command": "sh -c 'sleep 1.3; echo too late; exit 1'"},
            "(?s)ended .*too late",
        ),
    ],
)
def test_what_does_not_become_ready_is_named_and_taken_away_again(
    supervisord, a_fleet, values, complaint
):
    fleet = a_fleet(**values, replicas=1)

    with pytest.raises(DataPlaneError, match=complaint) as refusal:
        converge(supervisord, fleet)

    assert str(refusal.value).startswith(
        f"green member 0 of shop did not become ready on port {fleet.ports[0]}: "
    )
    assert "; it was stopped again\n" in str(refusal.value)
    assert supervisord.programs() == {}


def test_what_is_ready_stays_when_another_member_is_not(supervisord, a_fleet):
    fleet = a_fleet()
    one_of_two = f"sh -c 'test {{index}} = 0 && exec {fleet.command}; sleep 1.5; exit 1'"

    with pytest.raises(DataPlaneError, match=r"green member 1 .*: its command ended .*; it was st"):
        converge(supervisord, a_fleet(command=one_of_two))

    assert [member.index for member in live_members(supervisord, Color.GREEN, fleet.ports)] == [0]
    assert not matches(supervisord, a_fleet(command=one_of_two))


@pytest.mark.usefixtures("no_trial_second")
def test_an_untouched_member_that_is_not_ready_is_named_and_stays(supervisord, a_fleet, scratch):
    fleet = a_fleet(
        environment={"UNREADY": str(scratch / "down")}, replicas=1, readiness_timeout_seconds=1
    )
    before = converge(supervisord, a_fleet(**{**_values(fleet), "readiness_timeout_seconds": 15}))
    (scratch / "down").touch()

    with pytest.raises(DataPlaneError, match="answered 503; it was left as it was"):
        converge(supervisord, fleet)

    assert live_members(supervisord, Color.GREEN, fleet.ports) == before


def test_a_taken_port_is_named_with_its_holder_before_anything_is_started(supervisord, a_fleet):
    fleet = a_fleet()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", fleet.ports[1]))
        stranger.listen()

        with pytest.raises(DataPlaneError) as refusal:
            converge(supervisord, fleet)

    assert re.fullmatch(
        rf"port {fleet.ports[1]} for green member 1 is taken by pid {os.getpid()} \(.+\); nothing "
        r"was started; free it or change service\.onprem\.member_ports",
        str(refusal.value),
    )
    assert supervisord.programs() == {}


@pytest.mark.usefixtures("no_trial_second")
def test_members_that_move_to_other_ports_free_the_old_ones(supervisord, a_fleet):
    fleet = a_fleet(replicas=1)
    converge(supervisord, fleet)

    (moved,) = converge(supervisord, a_fleet(replicas=1, ports=fleet.ports[1:]))

    assert moved.port == fleet.ports[1]
    assert taken_by(fleet.ports[0]) is None


@pytest.mark.usefixtures("no_trial_second")
def test_drift_is_seen(supervisord, a_fleet):
    fleet = a_fleet()
    assert not matches(supervisord, fleet)
    converge(supervisord, fleet)
    assert matches(supervisord, fleet)

    assert not matches(supervisord, a_fleet(release="2.0"))
    assert not matches(supervisord, a_fleet(replicas=1))
    assert not matches(supervisord, a_fleet(replicas=3))
    assert not matches(supervisord, a_fleet(environment={"NEW": "1"}))
    assert matches(supervisord, a_fleet(readiness_timeout_seconds=99, readiness_path="/other"))
    supervisord.take("green-1")
    assert not matches(supervisord, fleet)
    converge(supervisord, fleet)
    assert matches(supervisord, fleet)


def test_a_member_that_dies_is_back_without_an_update(supervisord, a_fleet, wait_for):
    fleet = a_fleet(replicas=1)
    (before,) = converge(supervisord, fleet)

    os.kill(before.pid, signal.SIGKILL)

    wait_for(lambda: not matches(supervisord, fleet))
    wait_for(lambda: matches(supervisord, fleet))
    assert pids(live_members(supervisord, Color.GREEN, fleet.ports)) != [before.pid]


@pytest.mark.usefixtures("no_trial_second")
def test_a_killed_supervisord_is_drift_and_the_next_update_recovers(
    supervisord, a_fleet, kill_daemon
):
    fleet = a_fleet()
    before = converge(supervisord, fleet)
    kill_daemon()
    assert all(orphans.is_alive(member.pid) for member in before)
    assert not matches(supervisord, fleet)
    # They serve on until they are replaced.
    assert live_members(supervisord, Color.GREEN, fleet.ports) == before

    after = converge(supervisord, fleet)

    assert [member.port for member in after] == [member.port for member in before]
    assert [ask(member.port)["PID"] for member in after] == pids(after)
    assert not any(orphans.is_alive(member.pid) for member in before)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("serve --port={port} {color}", ("serve", "--port=8001", "green")),
        ("'my app' {index} {release}", ("my app", "3", "1.0 rc; `x`")),
        ("run '{{\"port\": {port}}}'", ("run", '{"port": 8001}')),
        ("a $HOME | b > c", ("a", "$HOME", "|", "b", ">", "c")),
    ],
)
def test_a_command_is_split_before_it_is_filled(template, words):
    rendered = render_command(
        template, color=Color.GREEN, release="1.0 rc; `x`", index=3, port=8001
    )

    assert rendered == words


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        (
            "serve {prot}",
            r"placeholder \{prot\}; known are \{port\}, \{color\}, \{rel.*; nothing was started",
        ),
        ("serve {}", r"placeholder \{\}"),
        ("serve {port!r}", r"placeholder \{port!r\}"),
        ("serve {port:5}", r"placeholder \{port:5\}"),
        ("serve {port.real}", r"placeholder \{port.real\}"),
        ("serve {port", "cannot be read: .*; nothing was started"),
        ("serve 'x", "cannot be read: no closing quotation; close .*; nothing was started"),
        ("  ", "the command names no program; nothing was started"),
    ],
)
def test_a_command_that_cannot_be_filled_is_refused(template, complaint):
    with pytest.raises(ConfigError, match=complaint):
        render_command(template, color=Color.GREEN, release="1", index=0, port=8001)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"replicas": 4}, "green: 4 replicas do not fit into 3 slots; lower green.replicas"),
        ({"replicas": -1}, "green: -1 replicas"),
        ({"ports": (1, 1, 2)}, "the same port"),
        ({"readiness_path": "ready"}, "not a path"),
        ({"environment": {"PORT": "1"}}, "sets PORT, which bluegreen sets"),
    ],
)
def test_a_fleet_that_cannot_be_is_refused(a_fleet, values, complaint):
    with pytest.raises(ConfigError, match=f"{complaint}.*; nothing was started"):
        a_fleet(**values)


def _values(fleet):
    return {name: getattr(fleet, name) for name in FleetSpec.__dataclass_fields__}


@pytest.mark.usefixtures("no_trial_second")
def test_the_members_of_a_color_end_and_those_of_the_other_stay(supervisord, a_fleet):
    blue = converge(supervisord, a_fleet(color=Color.BLUE, ports=tuple(free_ports(2)), replicas=1))
    green = converge(supervisord, a_fleet())

    end_members(supervisord, Color.GREEN)

    assert not any(orphans.is_alive(pid) for pid in pids(green))
    assert sorted(supervisord.programs()) == ["blue-0"]
    assert all(orphans.is_alive(pid) for pid in pids(blue))


@pytest.mark.usefixtures("no_trial_second")
def test_members_that_a_killed_supervisord_left_end_and_do_not_come_back(
    supervisord, a_fleet, kill_daemon
):
    members = converge(supervisord, a_fleet())
    kill_daemon()

    end_members(supervisord, Color.GREEN)
    supervisord.start()

    assert not any(orphans.is_alive(pid) for pid in pids(members))
    assert supervisord.programs() == {}
