import os
import socket
import subprocess

import pytest

from bluegreen.operations.locks import lock_advice
from bluegreen.operations.one_at_a_time import alone_on
from bluegreen.operations.outcome import RefusedError

HERE = socket.gethostname()


def said(pid, host=HERE):
    return (
        "the stack is currently locked by 1 lock(s).\n"
        f"  file:///x.json: created by ann@{host} (pid {pid}) at 2026-11-29T03:18:54Z"
    )


def test_a_lock_of_a_process_that_runs_is_waited_for():
    advice = lock_advice(said(os.getpid()))

    assert f"ann@{HERE} (process {os.getpid()}) since 2026-11-29T03:18:54Z" in advice
    assert advice.endswith("wait for it")


def test_a_lock_of_a_process_that_has_ended_may_be_taken_away():
    process = subprocess.Popen(["true"])
    process.wait()

    assert "it was killed; `pulumi cancel --yes`" in lock_advice(said(process.pid))


def test_a_lock_of_another_machine_is_not_judged_from_here():
    advice = lock_advice(said(1, host="elsewhere"))

    assert "on another machine" in advice
    assert "only when that process is gone" in advice


def test_a_backend_that_names_nobody_is_answered_as_well():
    assert "another update of this stack" in lock_advice("[409] Conflict")


def test_a_second_command_is_refused_while_the_first_runs_and_not_after_it(tmp_path):
    path = tmp_path / "Pulumi.test.yaml"

    with (
        alone_on(path),
        pytest.raises(RefusedError, match=f"process {os.getpid()}"),
        alone_on(path),
    ):
        raise AssertionError

    with alone_on(path), alone_on(tmp_path / "Pulumi.other.yaml"):
        pass
