"""Every verb of the command on the real engine, on-premises."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bluegreen.traffic import TrafficSplit
from tests.engine.command import Typed, ended, on_terminal, start, typed
from tests.engine.onprem_driver import OnPremDriver, onprem_driver

BLUE = TrafficSplit(blue=100, green=0)
GREEN = TrafficSplit(blue=0, green=100)
COMMENTED = "  # Why it is so.\n  shop:active_color: blue   # the one that people set\n\n"


@pytest.fixture(scope="module")
def shop() -> Iterator[OnPremDriver]:
    """Blue 1.0 and green 1.1, shared: each test begins with `fresh`."""
    with onprem_driver() as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        driver.configure("green", {"release": "1.1", "replicas": 1})
        driver.arrange()
        yield driver


@pytest.fixture
def fresh(shop: OnPremDriver) -> Iterator[OnPremDriver]:
    """Blue is live and recorded, and the file has a comment, an order and odd spaces."""
    # What one test rolled back, the next one may switch to.
    shop.run_directory.journal.unlink(missing_ok=True)
    content = shop.stack.config_file.read_text()
    if shop.live() != BLUE or "shop:active_color: blue" not in content:
        done = typed(shop.stack, "switch", "--to", "blue")
        assert done.exit_code == 0, done
        content = shop.stack.config_file.read_text()
    if COMMENTED not in content:
        content = content.replace("  shop:active_color: blue\n", COMMENTED)
        shop.stack.config_file.write_text(content)
    return shop


def config_of(driver: OnPremDriver) -> str:
    return driver.stack.config_file.read_text()


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """Reads what it says on stderr until it has said that."""
    said = ""
    assert process.stderr is not None
    for line in process.stderr:
        said += line
        if text in line:
            return said
    raise AssertionError(said)


def slow_gate(driver: OnPremDriver, seconds: float) -> None:
    """A gate that says in a file that it is asked, and takes its time."""
    flag = driver.stack.directory / "asked"
    flag.unlink(missing_ok=True)
    program = f"import pathlib,time; pathlib.Path({str(flag)!r}).touch(); time.sleep({seconds})"
    driver.configure(
        "service.gates.command",
        {"slow": {"command": shlex.join([sys.executable, "-c", program]), "timeout_seconds": 10}},
    )


def until_asked(driver: OnPremDriver) -> None:
    end = time.monotonic() + 60
    while not (driver.stack.directory / "asked").exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_switch_says_what_happened_and_leaves_the_file_as_a_person_wrote_it(fresh: OnPremDriver):
    before = config_of(fresh)

    done = typed(fresh.stack, "switch")

    assert done.exit_code == 0, done
    assert fresh.live() == GREEN
    assert fresh.ask("production") == {"green 1.1": 20}
    assert config_of(fresh) == before.replace("active_color: blue ", "active_color: green ")
    assert "green 1.1 has production traffic" in done.stdout
    assert "blue 1.0 goes on running, as long as you let it" in done.stdout
    assert f"bluegreen rollback --cwd {fresh.stack.directory} --stack test" in done.stdout
    assert "capacity: passed" in done.stderr
    assert "debug" not in done.stderr

    again = typed(fresh.stack, "switch", "--to", "green", "--json")

    assert again.exit_code == 0, again
    assert again.json["was_needed"] is False
    status = typed(fresh.stack, "status", "--json").json
    assert status["last_switch"]["from_color"] == "blue"
    assert "by tester" in status["last_switch"]["message"]
    assert status["production"]["colors"] == {"green": 10}
    assert status["test"]["colors"] == {"blue": 10}


def test_on_a_terminal_the_progress_is_gone_when_the_result_comes(fresh: OnPremDriver):
    lines = on_terminal(fresh.stack, "switch")

    assert any("capacity: passed" in line for line in lines)
    assert [line.split(" (after")[0] for line in lines[-3:]] == [
        "green 1.1 has production traffic",
        "blue 1.0 goes on running, as long as you let it",
        f"to go back: bluegreen rollback --cwd {fresh.stack.directory} --stack test --reason WHY",
    ]


def test_what_is_recorded_as_active_is_only_said_to_be_when_it_is_live(fresh: OnPremDriver):
    before = config_of(fresh)
    fresh.move_by_hand("green")

    status = typed(fresh.stack, "status")
    mended = typed(fresh.stack, "switch", "--to", "blue", "--json")

    assert "production answers from green, but the last update left blue" in status.stderr
    assert "`bluegreen switch --to blue` moves it back" in status.stderr
    assert mended.exit_code == 0, mended
    assert (mended.json["was_needed"], mended.json["from_color"]) == (True, "green")
    assert "goes 0 % to blue, 100 % to green; the last update left it at blue" in mended.stderr
    assert "blue: capacity: passed" in mended.stderr
    assert fresh.live() == BLUE
    assert config_of(fresh) == before


@pytest.mark.soak
def test_a_switch_is_refused_while_a_share_was_moved_by_hand(fresh: OnPremDriver):
    before = config_of(fresh)
    fresh.move_by_hand("blue", 40)

    refused = typed(fresh.stack, "switch")

    assert refused.exit_code == 1, refused
    assert "somebody else moved it" in refused.stderr
    assert config_of(fresh) == before
    assert fresh.live() == TrafficSplit(blue=60, green=40)

    mended = typed(fresh.stack, "switch", "--to", "blue")

    assert mended.exit_code == 0, mended
    assert fresh.live() == BLUE
    assert typed(fresh.stack, "switch", "--to", "blue", "--json").json["was_needed"] is False


@pytest.mark.soak
@pytest.mark.parametrize("says_its_color", [True, False])
def test_a_rollback_goes_away_from_what_is_live(fresh: OnPremDriver, *, says_its_color: bool):
    written = config_of(fresh)
    if not says_its_color:
        fresh.configure("service.color_from", None)
    fresh.move_by_hand("green")
    try:
        done = typed(fresh.stack, "rollback", "--reason", "somebody moved it")

        assert done.exit_code == 0, done
        assert "blue 1.0 has production traffic again" in done.stdout
        assert fresh.live() == BLUE
    finally:
        fresh.stack.config_file.write_text(written)


def test_a_refused_switch_leaves_traffic_and_every_byte_of_the_config(fresh: OnPremDriver):
    fresh.end_members("green")
    before = config_of(fresh)
    fresh.configure("service.gates.release.path", "/nowhere")
    fresh.configure("service.gates.release.timeout_seconds", 1)
    refusing = config_of(fresh)
    try:
        done = typed(fresh.stack, "switch", "--json")

        assert done.exit_code == 1, done
        assert done.json["outcome"] == "refused"
        assert "release" in done.json["message"]
        assert "production traffic has not moved" in done.stderr
        assert config_of(fresh) == refusing
        assert fresh.live() == BLUE
    finally:
        fresh.stack.config_file.write_text(before)


def test_validate_tells_every_verdict_and_changes_nothing(fresh: OnPremDriver):
    before = config_of(fresh)

    done = typed(fresh.stack, "validate", "--json")

    assert done.exit_code == 0, done
    assert done.json["color"] == "green"
    assert {each["gate"] for each in done.json["verdicts"]} == {"capacity", "ready", "release"}
    assert config_of(fresh) == before
    assert fresh.live() == BLUE
    fresh.end_members("green")

    refused = typed(fresh.stack, "validate")

    assert refused.exit_code == 1, refused
    assert "refused capacity" in refused.stdout
    fresh.arrange()


def test_the_program_tells_what_is_live(fresh: OnPremDriver):
    status = typed(fresh.stack, "status", "--live", "--json")

    assert status.exit_code == 0, status
    colors = status.json["report"]["colors"]
    assert (colors["blue"]["share"], colors["green"]["share"]) == (100, 0)
    assert colors["green"]["ready"] == colors["green"]["desired"] > 0
    assert status.json["report"]["active"] == "blue"


def test_a_rollback_records_its_reason_and_is_held_up_by_nothing_else(fresh: OnPremDriver):
    assert typed(fresh.stack, "switch").exit_code == 0
    slow = {"command": "false", "slow": True, "timeout_seconds": 1}
    before = config_of(fresh)
    fresh.configure("service.gates.command", {"smoke": slow})
    try:
        done = typed(fresh.stack, "rollback", "--reason", "orders fail")

        assert done.exit_code == 0, done
        assert fresh.live() == BLUE
        assert "blue 1.0 has production traffic again" in done.stdout
        assert fresh.events()[-1]["reason"] == "orders fail"
    finally:
        fresh.stack.config_file.write_text(before.replace("color: green ", "color: blue "))


def test_deploy_canary_and_the_switch_that_ends_it(fresh: OnPremDriver):
    deployed = typed(fresh.stack, "deploy", "--release", "1.10")

    assert deployed.exit_code == 0, deployed
    assert '"1.10"' in config_of(fresh)
    assert fresh.ask("test") == {"green 1.10": 20}
    assert fresh.live() == BLUE

    some = typed(fresh.stack, "canary", "--percent", "10")

    assert some.exit_code == 0, some
    assert fresh.live() == TrafficSplit(blue=90, green=10)

    back = typed(fresh.stack, "rollback", "--reason", "the canary sang")

    assert back.exit_code == 0, back
    assert "blue 1.0 has production traffic again" in back.stdout
    assert fresh.live() == BLUE
    assert "percent: 0" in config_of(fresh)

    assert typed(fresh.stack, "canary", "--percent", "10").exit_code == 0
    done = typed(fresh.stack, "switch")

    assert done.exit_code == 0, done
    assert fresh.live() == GREEN
    assert "percent: 0" in config_of(fresh)


def test_retire_waits_for_the_retention(fresh: OnPremDriver):
    assert typed(fresh.stack, "switch").exit_code == 0
    before = config_of(fresh)
    fresh.configure("service.retention_hours", 1)
    kept = config_of(fresh)
    try:
        refused = typed(fresh.stack, "retire")
        not_due = typed(fresh.stack, "retire", "--due")

        assert refused.exit_code == 1, refused
        assert "must stay able to serve until" in refused.stderr
        assert not_due.exit_code == 0, not_due
        assert config_of(fresh) == kept
        assert fresh.live() == GREEN
    finally:
        fresh.stack.config_file.write_text(before)

    retired = typed(fresh.stack, "retire")

    assert retired.exit_code == 0, retired
    live = typed(fresh.stack, "status", "--live", "--json").json["report"]["colors"]["blue"]
    assert live["is_retired"]
    assert live["desired"] == 0


def test_ctrl_c_at_a_gate_moves_nothing_and_takes_the_config_back(fresh: OnPremDriver):
    before = config_of(fresh)
    slow_gate(fresh, 3)
    with_gate = config_of(fresh)
    try:
        process = start(fresh.stack, "switch")
        until_asked(fresh)
        process.send_signal(signal.SIGINT)
        done = ended(process)

        assert done.exit_code == 1, done
        assert "stopped by SIGINT" in done.stderr
        assert "production traffic has not moved: blue is live" in done.stderr
        assert config_of(fresh) == with_gate
        assert fresh.live() == BLUE
    finally:
        fresh.stack.config_file.write_text(before)
    fresh.arrange()


def test_a_second_switch_changes_nothing_while_the_first_goes_on(fresh: OnPremDriver):
    before = config_of(fresh)
    slow_gate(fresh, 3)
    first = start(fresh.stack, "switch")
    try:
        until_asked(fresh)
        during = config_of(fresh)

        second = typed(fresh.stack, "switch", "--to", "blue")

        assert second.exit_code == 1, second
        assert f"process {first.pid}" in second.stderr
        assert config_of(fresh) == during
    finally:
        done = ended(first)
        fresh.stack.config_file.write_text(before.replace("color: blue ", "color: green "))
    assert done.exit_code == 0, done
    assert fresh.live() == GREEN


def test_somebody_elses_update_is_named_and_the_config_taken_back(fresh: OnPremDriver):
    slow_gate(fresh, 4)
    before = config_of(fresh)
    fresh.configure("active_color", "green")
    other = fresh.stack.start("up", "--yes", "--skip-preview")
    try:
        until_asked(fresh)
        fresh.stack.config_file.write_text(before)

        done = typed(fresh.stack, "deploy", "--release", "9.9")

        assert done.exit_code == 1, done
        assert "which is at work; wait for it" in done.stderr
        assert config_of(fresh) == before
    finally:
        other.communicate(timeout=60)
        fresh.configure("service.gates.command", None)
        fresh.configure("active_color", "green")


def test_a_killed_engine_is_told_with_its_lock_and_the_way_on(fresh: OnPremDriver):
    before = config_of(fresh)
    slow_gate(fresh, 2)
    with_gate = config_of(fresh)
    try:
        process = start(fresh.stack, "switch")
        until_asked(fresh)
        (engine,) = _children(process.pid)
        os.kill(engine, signal.SIGKILL)
        done = ended(process)

        assert done.exit_code == 3, done
        assert "killed by signal 9" in done.stderr
        assert "pulumi cancel --yes" in done.stderr
        assert config_of(fresh) == with_gate

        locked = typed(fresh.stack, "switch")

        assert locked.exit_code == 1, locked
        assert "does not run any more: it was killed" in locked.stderr
        assert config_of(fresh) == with_gate
    finally:
        fresh.stack.config_file.write_text(before)
    assert fresh.stack.run("cancel", "--yes").ok
    assert fresh.live() == BLUE
    fresh.arrange()


def _children(pid: int) -> list[int]:
    """The engines that a command has started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return list(map(int, text.split()))


def test_what_somebody_else_wrote_meanwhile_stays(fresh: OnPremDriver):
    before = config_of(fresh)
    slow_gate(fresh, 2)
    fresh.configure("service.gates.release.path", "/nowhere")
    fresh.configure("service.gates.release.timeout_seconds", 1)
    try:
        process = start(fresh.stack, "switch")
        until_asked(fresh)
        edited = config_of(fresh).replace("config:\n", "config:\n  shop:team: web\n")
        fresh.stack.config_file.write_text(edited)
        done = ended(process)

        assert done.exit_code == 1, done
        assert "changed by somebody else meanwhile" in done.stderr, done
        assert "shop:team: web" in config_of(fresh)
        assert "shop:active_color: blue" in config_of(fresh)
    finally:
        fresh.stack.config_file.write_text(before)


def test_a_lost_terminal_stops_nothing(fresh: OnPremDriver):
    before = config_of(fresh)
    slow_gate(fresh, 2)
    try:
        process = start(fresh.stack, "switch")
        until_asked(fresh)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()
        process.send_signal(signal.SIGHUP)
        exit_code = process.wait(60)

        assert exit_code == 0
        assert fresh.live() == GREEN
        assert "shop:active_color: green" in config_of(fresh)
    finally:
        fresh.stack.config_file.write_text(before.replace("color: blue ", "color: green "))


def test_a_breach_while_it_is_watched_moves_production_back(fresh: OnPremDriver):
    before = config_of(fresh)
    fresh.configure("green.env", {"APP_MODE": "broken"})
    fresh.configure("service.gates.release", None)
    fresh.configure("service.color_from.path", "/health/ready")
    written = config_of(fresh)
    try:
        fresh.arrange()

        done = typed(fresh.stack, "switch", "--bake", "30", "--bake-rate", "20", "--json")

        assert done.exit_code == 1, done
        assert done.seconds < 60
        assert "rolled back: blue 1.0 has production traffic again" in done.json["message"]
        assert "requests failed" in done.json["message"]
        assert fresh.live() == BLUE
        assert config_of(fresh) == written
        assert fresh.events()[-1]["reason"].startswith("bake: ")
    finally:
        fresh.stack.config_file.write_text(before)
    assert fresh.up().ok


def test_a_color_that_is_as_good_stands_the_watch(fresh: OnPremDriver):
    done = typed(fresh.stack, "switch", "--bake", "6", "--bake-path", "/version", "--json")

    assert done.exit_code == 0, done
    assert done.json["bake"]["new"]["failed"] == 0
    assert done.json["bake"]["old"]["count"] >= 20
    assert done.json["bake"]["breach"] is None


def test_ctrl_c_while_it_is_watched_leaves_the_color_and_says_that_nobody_watches(
    fresh: OnPremDriver,
):
    process = start(fresh.stack, "switch", "--bake", "60", "--bake-path", "/version")
    wait_for(process, "watching it for 60 s")
    process.send_signal(signal.SIGINT)
    done = ended(process)

    assert done.exit_code == 3, done
    assert "nobody watches now" in done.stderr
    assert fresh.live() == GREEN
    assert "active_color: green" in config_of(fresh)


@pytest.mark.parametrize(
    ("words", "needle"),
    [
        (("status", "-s", "nope"), "is the stack's name right?"),
        (("switch", "--to", "red"), "red"),
        (("rollback", "--reason", " "), "needs a reason"),
        (("canary", "--percent", "100"), "all of it is a switch"),
        (("deploy", "--release", "2", "--image", "x"), "platform onprem has no image"),
    ],
)
def test_wrong_usage_has_an_exit_status_of_its_own(
    fresh: OnPremDriver, words: tuple[str, ...], needle: str
):
    done: Typed = typed(fresh.stack, *words)

    assert done.exit_code == 2, done
    assert needle in done.stderr
    assert not done.stdout
