import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from bluegreen.gates.command import CommandGate
from bluegreen.gates.gate import Deadline
from bluegreen.gates.runner import run_gates


def python(code):
    return (sys.executable, "-c", textwrap.dedent(code))


def a_gate(*arguments, **changes):
    return CommandGate(name="smoke", arguments=arguments, **changes)


def is_running(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


def ends_soon(pid):
    end = time.monotonic() + 3
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not is_running(pid)


def test_a_program_that_ends_with_status_0_passes(a_subject):
    verdict = a_gate("true").check(a_subject(), Deadline(5))

    assert verdict.passed
    assert verdict.reason == "true ended with status 0"
    assert (verdict.value, verdict.limit) == ("status 0", "status 0")


def test_any_other_status_is_refused_with_the_last_line(a_subject):
    code = "import sys; print('one'); print('two failed', file=sys.stderr); print(); sys.exit(3)"

    verdict = a_gate(*python(code)).check(a_subject(), Deadline(5))

    assert not verdict.passed
    assert verdict.reason.endswith("ended with status 3; its last line: two failed")
    assert verdict.detail is not None
    assert sorted(verdict.detail.split("\n")) == ["", "", "one", "two failed"]


def test_a_program_ended_by_a_signal_is_refused_with_its_name(a_subject):
    code = "import os; os.kill(os.getpid(), 15)"

    verdict = a_gate(*python(code)).check(a_subject(), Deadline(5))

    assert not verdict.passed
    assert "was ended by SIGTERM" in verdict.reason


def test_no_shell_reads_the_command(a_subject, tmp_path):
    verdict = a_gate("echo", "$HOME", ";", "touch", str(tmp_path / "made")).check(
        a_subject(), Deadline(5)
    )

    assert verdict.passed
    assert verdict.detail == f"$HOME ; touch {tmp_path}/made\n"
    assert not (tmp_path / "made").exists()


def test_the_program_learns_what_it_judges(a_subject):
    code = """
        import json, os
        print(json.dumps({key: os.environ[key] for key in os.environ if key[:9] == "BLUEGREEN"}))
    """

    subject = a_subject("http://127.0.0.1:18443", {"X-Color": "green"})
    verdict = a_gate(*python(code)).check(subject, Deadline(5))

    told = json.loads(verdict.detail)
    assert json.loads(told.pop("BLUEGREEN_TEST_HEADERS")) == {"X-Color": "green"}
    assert told == {
        "BLUEGREEN_COLOR": "green",
        "BLUEGREEN_RELEASE": "1.1",
        "BLUEGREEN_TEST_URL": "http://127.0.0.1:18443",
    }


def test_the_program_gets_its_own_variables_and_those_of_the_update(a_subject, monkeypatch):
    monkeypatch.setenv("FROM_OUTSIDE", "outside")
    gate = a_gate("printenv", "FROM_OUTSIDE", "FROM_SETTINGS", env={"FROM_SETTINGS": "settings"})

    assert gate.check(a_subject(), Deadline(5)).detail == "outside\nsettings\n"


def test_the_program_does_not_get_the_decrypted_config(a_subject, monkeypatch):
    monkeypatch.setenv("PULUMI_CONFIG", '{"shop:token": "fake"}')

    verdict = a_gate("printenv", "PULUMI_CONFIG").check(a_subject(), Deadline(5))

    assert verdict.value == "status 1"
    assert verdict.detail is None


def test_secrets_are_masked_in_everything_that_is_kept(a_subject, monkeypatch):
    monkeypatch.setenv("OUTSIDE_TOKEN", "fake-one")
    gate = a_gate(
        "sh",
        "-c",
        'echo "$OUTSIDE_TOKEN"; echo "bad $INSIDE_TOKEN" >&2; exit 1',
        env={"INSIDE_TOKEN": "fake-two"},
        secret_env=("OUTSIDE_TOKEN", "INSIDE_TOKEN"),
    )

    verdict = gate.check(a_subject(), Deadline(5))

    assert verdict.detail == "***\nbad ***\n"
    assert verdict.reason.endswith("its last line: bad ***")
    assert "fake" not in repr(verdict) + repr(gate)


def test_a_secret_that_is_not_set_is_refused_before_the_program_runs(a_subject, tmp_path):
    gate = a_gate("touch", str(tmp_path / "made"), secret_env=("NOT_SET_TOKEN",))

    (verdict,) = run_gates([gate], a_subject(), timeout_seconds=5)

    assert not verdict.passed
    assert "no variable NOT_SET_TOKEN to mask" in verdict.reason
    assert not (tmp_path / "made").exists()


def test_only_the_last_four_kibibytes_are_kept(a_subject):
    verdict = a_gate(*python("print('x' * 5_000_000); print('end')")).check(
        a_subject(), Deadline(10)
    )

    assert verdict.passed
    assert len(verdict.detail) == 4096
    assert verdict.detail.endswith("x\nend\n")


def test_a_program_that_writes_for_ever_is_killed_at_the_deadline(a_subject):
    start = time.monotonic()

    verdict = a_gate("yes").check(a_subject(), Deadline(0.3))

    assert time.monotonic() - start < 10
    assert not verdict.passed
    # What was left of the limit when it began.
    assert re.fullmatch(r"yes was killed after 0\.[0-3]\d* s; its last line: y", verdict.reason)


def test_the_program_and_its_children_are_killed_at_the_deadline(a_subject):
    start = time.monotonic()

    verdict = a_gate("sh", "-c", "echo $$; sleep 60 & echo $!; sleep 60").check(
        a_subject(), Deadline(0.5)
    )

    assert time.monotonic() - start < 10
    assert not verdict.passed
    assert re.search(r"sh was killed after 0\.[0-5]\d* s", verdict.reason)
    pids = [int(line) for line in verdict.detail.split()]
    assert len(pids) == 2
    assert all(ends_soon(pid) for pid in pids)


def test_a_program_that_ignores_polite_signals_is_killed_too(a_subject):
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    start = time.monotonic()

    assert not a_gate(*python(code)).check(a_subject(), Deadline(0.4)).passed
    assert time.monotonic() - start < 10


def test_a_child_left_in_the_background_neither_delays_the_verdict_nor_stays(a_subject):
    start = time.monotonic()

    verdict = a_gate("sh", "-c", "sleep 60 & echo $!").check(a_subject(), Deadline(10))

    assert time.monotonic() - start < 3
    assert verdict.passed
    assert ends_soon(int(verdict.detail))


def test_a_child_that_left_the_group_does_not_delay_the_verdict(a_subject):
    start = time.monotonic()

    verdict = a_gate("sh", "-c", "setsid sleep 5 & echo $!; sleep 0.2").check(
        a_subject(), Deadline(10)
    )

    with contextlib.suppress(ProcessLookupError):
        os.kill(int(verdict.detail), signal.SIGKILL)
    assert verdict.passed
    assert time.monotonic() - start < 3


def test_a_stopped_deadline_ends_the_program(a_subject):
    deadline = Deadline(30)
    deadline.stop()

    assert not a_gate("sleep", "30").check(a_subject(), deadline).passed


def test_a_program_waiting_for_input_gets_none(a_subject):
    silent, held_open = os.pipe()
    before = os.dup(0)
    os.dup2(silent, 0)
    try:
        verdict = a_gate("cat").check(a_subject(), Deadline(2))
    finally:
        os.dup2(before, 0)
        for number in (silent, held_open, before):
            os.close(number)

    assert verdict.passed


def test_a_missing_program_is_a_refusal_that_names_it(a_subject):
    verdict = a_gate("no-such-smoke-test", "--all").check(a_subject(), Deadline(5))

    assert not verdict.passed
    assert verdict.reason.startswith("did not run: there is no program no-such-smoke-test")


def test_a_file_that_may_not_be_executed_is_a_refusal_that_says_so(a_subject, tmp_path):
    script = tmp_path / "smoke"
    script.write_text("#!/bin/sh\n")

    verdict = a_gate(str(script)).check(a_subject(), Deadline(5))

    assert not verdict.passed
    assert f"{script} may not be executed" in verdict.reason


def test_a_file_that_is_no_program_is_a_refusal(a_subject, tmp_path):
    script = tmp_path / "smoke"
    script.write_bytes(b"\x00\x01")
    script.chmod(0o700)

    verdict = a_gate(str(script)).check(a_subject(), Deadline(5))

    assert not verdict.passed
    assert "cannot be started: OSError" in verdict.reason


def test_an_interpreter_that_ends_early_takes_the_program_with_it(tmp_path):
    code = """
        import sys, threading, time
        from pathlib import Path
        from bluegreen.colors import Color
        from bluegreen.gates import CommandGate, Deadline, Endpoint, Subject

        subject = Subject(Color.GREEN, "1.1", 1, Endpoint("http://127.0.0.1:9"), None, None)
        script = f"echo $$ > {sys.argv[1]}; sleep 60"
        gate = CommandGate(name="smoke", arguments=("sh", "-c", script))
        threading.Thread(target=gate.check, args=(subject, Deadline(60)), daemon=True).start()
        while not (Path(sys.argv[1]).exists() and Path(sys.argv[1]).read_text().strip()):
            time.sleep(0.01)
    """
    pid_file = tmp_path / "pid"

    subprocess.run([*python(code), pid_file], timeout=20, check=True)

    assert ends_soon(int(pid_file.read_text()))


def test_a_preview_never_runs_a_program():
    assert a_gate("true").runs_in_preview is False
