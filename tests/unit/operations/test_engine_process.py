import os
import signal
import sys
import threading
import time

import pytest

from bluegreen.operations.engine_process import Interruption, run_engine


def run(program, **options):
    return run_engine([sys.executable, "-c", program], cwd="/", environment={}, **options)


def test_what_it_said_and_how_it_ended_are_told_apart():
    result = run("import sys; print('out'); print('problem', file=sys.stderr); sys.exit(3)")

    assert (result.exit_code, result.stdout, result.stderr) == (3, "out", "problem")


def test_it_has_a_session_of_its_own_so_that_a_terminal_does_not_reach_it():
    result = run("import os; print(os.getsid(0))")

    assert int(result.stdout) != os.getsid(0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_is_passed_on_as_one_ctrl_c(number):
    program = (
        "import signal,sys,time\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(7))\n"
        "print('ready', flush=True)\ntime.sleep(30)\n"
    )
    asked = []
    interruption = Interruption(on_request=asked.append)

    def on_output(_line):
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()

    with interruption.watched():
        result = run(program, interruption=interruption, on_output=on_output)

    assert result.exit_code == 7
    assert asked == [number]
    assert interruption.requested is number


def test_a_request_is_told_while_something_is_being_written():
    # A stream cannot be entered again by the thread that is in it.
    is_written, is_told = threading.Lock(), threading.Event()

    def tell(_number):
        with is_written:
            is_told.set()

    with Interruption(on_request=tell).watched(), is_written:
        os.kill(os.getpid(), signal.SIGINT)

    assert is_told.wait(5)


def test_a_lost_terminal_is_no_request():
    interruption = Interruption()

    with interruption.watched():
        os.kill(os.getpid(), signal.SIGHUP)
        result = run("print('done')", interruption=interruption)

    assert result.stdout == "done"
    assert interruption.requested is None


def test_the_handlers_of_before_come_back():
    before = signal.getsignal(signal.SIGINT)

    with Interruption().watched():
        assert signal.getsignal(signal.SIGINT) is not before

    assert signal.getsignal(signal.SIGINT) is before


def test_what_it_left_behind_does_not_hold_the_end_up():
    program = "import subprocess; subprocess.Popen(['sleep', '20']); print('done')"
    started = time.monotonic()

    result = run(program)

    assert result.stdout == "done"
    assert time.monotonic() - started < 10
