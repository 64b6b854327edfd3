import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bluegreen.errors import DataPlaneError
from bluegreen.load import BackgroundLoad, LoadPlan, Outcome, Recording, nearest_rank, summarize
from bluegreen.load.__main__ import main
from tests.load.servers import ROOT, eventually


def has_ended(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    # Where nobody collects orphans, a dead one stays in the list.
    return state == "Z"


def answered_by(app) -> int:
    return json.loads(app.get("/stats")[2])["answered"]


def test_two_thousand_requests_a_second_keep_their_schedule_and_agree_with_the_server(start_app):
    app = start_app()
    load = BackgroundLoad(LoadPlan(url=app.url, rate=2000, seconds=2))

    load.start()
    report = summarize(load.wait())

    assert report.requests == 4000
    assert report.failed == 0
    assert report.answers == {"blue": 4000} == {"blue": answered_by(app)}
    assert report.rate > 1800
    stats = json.loads(app.get("/stats")[2])
    # This connection and the one before it are the test's own.
    assert stats["connections_accepted"] - 2 == report.connections_opened >= 400


def test_a_busy_caller_does_not_disturb_the_pacing(start_app):
    app = start_app()
    with BackgroundLoad(LoadPlan(url=app.url, rate=100, seconds=30)) as load:
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            pass
        recording = load.stop()

    assert 50 <= len(recording) <= 500
    assert recording.failed() == 0
    assert nearest_rank(recording.send_delays(), 50) < 0.1


def test_a_killed_server_shows_as_failures(start_app):
    app = start_app()
    with BackgroundLoad(LoadPlan(url=app.url, rate=500, seconds=30)) as load:
        time.sleep(0.5)
        killed = time.monotonic()
        app.process.kill()
        time.sleep(0.3)
        recording = load.stop()

    assert recording.failed((0, killed - 0.2)) == 0
    assert recording.failed((killed, float("inf"))) > 50
    assert set(recording.failures()) <= {Outcome.RESET, Outcome.CONNECT_FAILURE}


def test_the_colors_of_two_servers_in_turn_are_told_apart(start_app):
    first = start_app()
    with BackgroundLoad(LoadPlan(url=first.url, rate=200, seconds=30)) as load:
        time.sleep(0.2)
        first.process.send_signal(signal.SIGTERM)
        first.process.wait(10)
        start_app(port=first.port, BLUEGREEN_COLOR="green", BLUEGREEN_RELEASE="1.1")
        time.sleep(0.2)
        recording = load.stop()

    assert set(recording.by_color()) == {"blue", "green"}
    assert set(recording.by_release()) == {"1.0", "1.1"}


def test_settings_reach_the_background_client(start_app):
    app = start_app()
    plan = LoadPlan(
        url=app.url + "version?x=1",
        rate=50,
        seconds=0.4,
        connections=3,
        fresh_share=1.0,
        timeout_seconds=2.5,
        headers={"X-Cohort": "a: b"},
        cookie_clients=2,
        color_header="X-Bluegreen-Release",
        release_header="X-Bluegreen-Color",
    )

    with BackgroundLoad(plan) as load:
        recording = load.wait()

    assert recording.by_color() == {"1.0": 20}
    assert recording.by_release() == {"blue": 20}
    assert recording.connections_opened == 20
    assert {request.client for request in recording} == {0, 1}


def test_the_client_ends_when_its_parent_is_killed(start_app):
    app = start_app()
    program = (
        "import sys, time\n"
        "from bluegreen.load import BackgroundLoad, LoadPlan\n"
        "load = BackgroundLoad(LoadPlan(url=sys.argv[1], rate=100, seconds=60))\n"
        "load.start()\n"
        "print(load.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, app.url], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with parent:
        try:
            pid = int(parent.stdout.readline())
            assert not has_ended(pid)
        finally:
            parent.kill()

    assert eventually(lambda: has_ended(pid)), f"the load client {pid} is still there"


def test_a_client_that_is_not_stopped_ends_with_the_context(start_app):
    with BackgroundLoad(LoadPlan(url=start_app().url, rate=50, seconds=60)) as load:
        pid = load.pid

    assert has_ended(pid)


def test_a_client_that_dies_is_an_error_and_not_an_empty_recording(start_app):
    with BackgroundLoad(LoadPlan(url=start_app().url, rate=50, seconds=60)) as load:
        os.kill(load.pid, signal.SIGKILL)
        with pytest.raises(DataPlaneError, match="ended with status -9"):
            load.stop()


def test_collecting_twice_is_refused(start_app):
    with BackgroundLoad(LoadPlan(url=start_app().url, rate=50, seconds=0.1)) as load:
        load.wait()
        with pytest.raises(DataPlaneError, match="not running"):
            load.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_early_with_summary_and_recording(start_app, tmp_path, number):
    app, output = start_app(), tmp_path / "load.bin"
    options = ["--url", app.url, "--rate", "200", "--seconds", "60", "--output", str(output)]
    command = subprocess.Popen(
        [sys.executable, "-m", "bluegreen.load", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert eventually(lambda: answered_by(app) > 100)
        command.send_signal(number)
        out, err = command.communicate(timeout=10)
    finally:
        command.kill()

    assert (command.returncode, err) == (0, "")
    (line,) = out.splitlines()
    recording = Recording.load(output)
    assert json.loads(line) == json.loads(summarize(recording).to_json())
    assert 0 < len(recording) < 6000
    assert recording.failed() == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--url", "http://example.com/"], "url: host 'example.com' is not loopback"),
        (["--rate", "fast"], "argument --rate: invalid float value: 'fast'"),
        (["--rate", "0", "--connections", "0"], "rate: 0 is outside"),
        (["--header", "nothing"], "header: not of the form"),
        (["--output", "/"], "output: '/' is a folder"),
        (["--what"], "unrecognized arguments: --what"),
    ],
)
def test_a_bad_value_is_one_line_and_status_2(capsys, options, problem):
    usual = ["--url", "http://127.0.0.1:1/", "--rate", "1", "--seconds", "1"]

    try:
        status = main([*usual, *options])
    except SystemExit as end:
        status = end.code

    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert problem in err
