import shlex
import signal
import sys
import time

import pytest

from tools.demo.commands import Command, Commands, commands_in
from tools.demo.errors import DemoError

REFUSED = """\
Updating (demo):
 ~  shop-route updating (0s)
Diagnostics:
  pulumi-python:dynamic/onprem:HaproxyRoute (shop-route):
    error: before hook "shop-router-gate" failed: not switching to green 1.2
      release: /version answered 500, not 200

  pulumi:pulumi:Stack (bluegreen-demo):
    shop: green: release: refused: /version answered 500
    error: update failed

Outputs:
    active_color: "blue"
"""


def run(tmp_path, *words, **environment):
    return Commands(tmp_path, environment).run(Command(words), tmp_path / "a.log")


def test_a_line_is_taken_apart_as_a_shell_does_it():
    line = "pulumi config set active_color blue && BLUEGREEN_ROLLBACK='blue:too slow' pulumi up"

    first, second = commands_in(line)

    assert first == Command(("pulumi", "config", "set", "active_color", "blue"))
    assert second.words == ("pulumi", "up")
    assert second.environment == {"BLUEGREEN_ROLLBACK": "blue:too slow"}
    assert str(second) == "BLUEGREEN_ROLLBACK='blue:too slow' pulumi up"


def test_what_the_gates_said_is_found_in_the_output(tmp_path):
    done = run(tmp_path, sys.executable, "-c", f"print({REFUSED!r}); raise SystemExit(1)")

    assert done.exit_code == 1
    assert done.said == [
        'error: before hook "shop-router-gate" failed: not switching to green 1.2',
        "  release: /version answered 500, not 200",
        "shop: green: release: refused: /version answered 500",
    ]


def test_the_log_has_the_commands_and_all_they_printed(tmp_path):
    run(tmp_path, "echo", "first")
    second = run(tmp_path, "echo", "second")

    log = (tmp_path / "a.log").read_text()
    assert second.output == "second\n"
    assert log.startswith("$ echo first\nfirst\n[exit 0 after ")
    assert "$ echo second\nsecond\n" in log


def test_an_interrupted_command_is_asked_to_end_and_waited_for(tmp_path):
    program = (
        "import os, pathlib, signal, time\n"
        "signal.signal(signal.SIGINT, lambda *_: (pathlib.Path('asked').touch(), os._exit(0)))\n"
        "os.kill(os.getppid(), signal.SIGUSR1)\n"
        "time.sleep(60)\n"
    )

    class Pressed(BaseException):
        pass

    def press(*_):
        raise Pressed

    before = signal.signal(signal.SIGUSR1, press)
    started = time.monotonic()
    try:
        with pytest.raises(Pressed):
            run(tmp_path, sys.executable, "-c", program)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert (tmp_path / "asked").exists()
    assert time.monotonic() - started < 20


def test_a_program_that_is_missing_is_named_with_what_helps(tmp_path):
    with pytest.raises(DemoError, match=r"cannot run no-such-program: No such file.*make setup"):
        run(tmp_path, "no-such-program")


def test_looking_does_not_mix_warnings_into_what_was_asked_for(tmp_path):
    line = "import sys; sys.stderr.write('warning'); print('[]')"

    output = Commands(tmp_path, {}).read(Command((sys.executable, "-c", line)))

    assert output == "[]\n"


def test_a_command_is_shown_so_that_it_can_be_typed():
    command = Command(("pulumi", "config", "set", "a b"), {"WHY": "it's slow"})

    assert shlex.split(str(command)) == ["WHY=it's slow", "pulumi", "config", "set", "a b"]
