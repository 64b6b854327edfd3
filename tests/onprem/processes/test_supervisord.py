"""supervisord itself: started, adopted, found dead, stopped, removed."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem import orphans, supervisord_client
from bluegreen.onprem import supervisord as supervisord_module
from bluegreen.onprem.supervisord import Program, ProgramStatus, Supervisord


def a_program(name="sleeper", *command, **values):
    command = command or ("sleep", "1000")
    return Program(name=name, command=command, **{"start_seconds": 0, "stop_seconds": 5, **values})


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_one_that_answers_is_adopted_with_its_programs(supervisord):
    supervisord.start()
    supervisord.put(a_program())
    daemon, before = supervisord.pid(), supervisord.programs()

    other = Supervisord(supervisord.directory)
    other.start()

    assert other.is_running()
    assert other.pid() == daemon
    assert other.programs() == before


def test_two_that_start_at_once_become_one(supervisord):
    pids = []

    def start():
        each = Supervisord(supervisord.directory)
        each.start()
        pids.append(each.pid())

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(pids) == 3
    assert len(set(pids)) == 1


def test_nobody_else_may_look_into_the_run_directory(supervisord):
    supervisord.start()
    supervisord.put(a_program(environment={"TOKEN": "fake"}))

    assert mode_of(supervisord.directory) == 0o700
    assert mode_of(supervisord.directory / "supervisor.sock") == 0o600
    files = list((supervisord.directory / "programs").iterdir())
    assert {path.suffix for path in files} == {".conf", ".json"}
    assert {mode_of(path) for path in files} == {0o600}


def test_it_outlives_the_process_group_that_started_it(supervisord, scratch):
    script = textwrap.dedent(f"""
        import os, signal, sys
        from pathlib import Path
        from bluegreen.onprem.supervisord import Program, Supervisord

        kept_open = os.open({str(scratch / "held")!r}, os.O_CREAT | os.O_RDWR)
        os.set_inheritable(kept_open, True)
        supervisord = Supervisord(Path({str(supervisord.directory)!r}))
        supervisord.start()
        supervisord.put(Program(name="sleeper", command=("sleep", "1000")))
        os.killpg(0, signal.SIGKILL)
    """)

    starter = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        start_new_session=True,
        timeout=30,
        env={**os.environ, "PULUMI_CONFIG_PASSPHRASE": "fake"},
    )

    assert starter.returncode == -signal.SIGKILL
    assert supervisord.is_running()
    sleeper = supervisord.programs()["sleeper"]
    assert sleeper.status.is_up
    for pid in (supervisord.pid(), sleeper.pid):
        process = Path(f"/proc/{pid}")
        assert b"PASSPHRASE" not in (process / "environ").read_bytes()
        assert str(scratch / "held") not in [str(fd.readlink()) for fd in process.glob("fd/*")]
    assert Path(f"/proc/{supervisord.pid()}/fd/0").readlink() == Path("/dev/null")


def test_what_a_crash_of_the_machine_leaves_does_not_keep_it_from_starting(
    supervisord, kill_daemon
):
    supervisord.start()
    kill_daemon()
    assert (supervisord.directory / "supervisor.sock").exists()
    # After a reboot the number belongs to somebody else: here, to this test.
    (supervisord.directory / "supervisord.pid").write_text(f"{os.getpid()}\n")
    assert not supervisord.is_running()
    assert supervisord.pid() is None

    supervisord.start()

    assert supervisord.is_running()
    assert supervisord.pid() != os.getpid()


def test_what_a_killed_supervisord_left_goes_on_until_it_is_put_again(
    supervisord, kill_daemon, scratch, wait_for
):
    ended = scratch / "ended"
    # Its child is in the same process group.
    command = f"trap 'touch {ended}; exit' TERM; sleep 1000 & echo $! > {scratch}/child; wait"
    parent, other = a_program("parent", "sh", "-c", command), a_program("other")
    supervisord.start()
    supervisord.put(parent, other)
    before = {name: state.pid for name, state in supervisord.programs().items()}
    child = int(wait_for(lambda: _text(scratch / "child")))
    kill_daemon()

    supervisord.start()

    assert supervisord.left_behind() == before
    assert supervisord.programs() == {}
    assert orphans.is_alive(child)

    assert supervisord.put(parent) == ["parent"]

    # Ended gracefully before it was started again, and nobody else was touched.
    assert ended.exists()
    assert not any(orphans.is_alive(pid) for pid in (before["parent"], child))
    assert supervisord.programs()["parent"].status.is_up
    assert supervisord.left_behind() == {"other": before["other"]}


def test_a_program_that_takes_over_itself_is_told_only_once(
    supervisord, kill_daemon, scratch, wait_for
):
    # Notes its arguments, and goes on.
    program = a_program("relay", "sh", "-c", f'echo "$@" >> {scratch}/told; exec sleep 1000', "-")
    supervisord.start()
    supervisord.put(program)
    told = scratch / "told"
    wait_for(told.exists)
    former = supervisord.programs()["relay"].pid
    kill_daemon()
    supervisord.start()

    supervisord.put_beside(program, "-x", "socket")
    wait_for(lambda: told.read_text().count("\n") == 2)
    os.kill(supervisord.programs()["relay"].pid, signal.SIGKILL)
    wait_for(lambda: told.read_text().count("\n") == 3)

    assert told.read_text() == "\n-x socket\n\n"
    assert orphans.is_alive(former)
    # The former one is not lost track of.
    supervisord.take("relay")
    assert not orphans.is_alive(former)


def test_children_of_an_orphan_that_is_gone_are_ended_too(
    supervisord, kill_daemon, scratch, wait_for
):
    command = f"sleep 1000 & echo $! > {scratch}/child; wait"
    supervisord.start()
    supervisord.put(a_program("parent", "sh", "-c", command))
    child = int(wait_for(lambda: _text(scratch / "child")))
    parent = supervisord.programs()["parent"].pid
    kill_daemon()
    os.kill(parent, signal.SIGKILL)
    wait_for(lambda: not orphans.is_alive(parent))
    assert orphans.is_alive(child)

    supervisord.start()

    assert not orphans.is_alive(child)


def test_a_process_that_only_has_the_number_of_an_orphan_is_left_alone(
    supervisord, kill_daemon, wait_for
):
    supervisord.start()
    supervisord.put(a_program())
    journal = supervisord.directory / "processes/sleeper.json"
    wait_for(journal.exists)
    noted = json.loads(journal.read_text())
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as stranger:
        supervisord.take("sleeper")
        kill_daemon()
        journal.write_text(json.dumps({**noted, "pid": stranger.pid}))

        supervisord.start()

        assert stranger.poll() is None
        stranger.kill()


def test_one_that_hangs_is_named_and_is_killed_by_stop(supervisord, monkeypatch):
    monkeypatch.setattr(supervisord_client, "_CALL_SECONDS", 0.3)
    monkeypatch.setattr(supervisord_module, "_STOP_MARGIN_SECONDS", 0.3)
    supervisord.start()
    supervisord.put(a_program())
    sleeper, daemon = supervisord.programs()["sleeper"].pid, supervisord.pid()
    os.kill(daemon, signal.SIGSTOP)

    with pytest.raises(DataPlaneError, match=rf"pid {daemon}\) .* does not answer; nothing was"):
        supervisord.start()
    supervisord.stop()

    assert not orphans.is_alive(daemon)
    assert not orphans.is_alive(sleeper)


def test_after_a_stop_nothing_runs_and_a_start_brings_all_back(supervisord, scratch, wait_for):
    ended, up = scratch / "ended", scratch / "up"
    command = f"trap 'touch {ended}; exit' TERM; touch {up}; sleep 9 & wait"
    supervisord.start()
    supervisord.put(a_program("graceful", "sh", "-c", command), a_program())
    wait_for(up.exists)
    pids = [supervisord.pid(), *(each.pid for each in supervisord.programs().values())]

    supervisord.stop()

    assert ended.exists()
    assert not any(orphans.is_alive(pid) for pid in pids)
    assert not supervisord.is_running()
    supervisord.stop()
    supervisord.start()
    assert {each.status for each in supervisord.programs().values()} == {ProgramStatus.RUNNING}


def test_remove_deletes_what_is_ours_and_nothing_else(supervisord, scratch):
    supervisord.start()
    foreign = scratch / "foreign"
    foreign.mkdir()
    (foreign / "precious").touch()

    supervisord.remove()
    with pytest.raises(DataPlaneError, match="was not made by bluegreen; nothing was"):
        Supervisord(foreign).remove()
    with pytest.raises(ConfigError, match="files that are not bluegreen's; nothing was started"):
        Supervisord(foreign).start()

    assert not supervisord.directory.exists()
    assert [path.name for path in foreign.iterdir()] == ["precious"]
    supervisord.remove()


def test_the_longest_path_that_is_accepted_works(scratch):
    limit = 99 - len("/supervisor.sock")
    fits = scratch / ("x" * (limit - len(str(scratch)) - 1))

    with pytest.raises(ConfigError, match=r"100 bytes, and the limit is 99; .* set a shorter"):
        Supervisord(fits.with_name(fits.name + "x"))

    supervisord = Supervisord(fits)
    supervisord.start()
    assert supervisord.is_running()
    supervisord.remove()


@pytest.mark.parametrize("name", ["50%", "a[b]", "what?", 'q"uote', "semi;colon", "new\nline"])
def test_a_path_that_supervisord_would_misread_is_refused(scratch, name):
    with pytest.raises(ConfigError, match="its own syntax; nothing was started"):
        Supervisord(scratch / name)


def test_a_path_with_spaces_and_accents_works(scratch):
    supervisord = Supervisord(scratch / "mon été, a=b")
    supervisord.start()
    supervisord.put(a_program())

    assert supervisord.programs()["sleeper"].status is ProgramStatus.RUNNING
    supervisord.remove()


def test_a_supervisord_that_cannot_start_says_why(supervisord, monkeypatch):
    monkeypatch.setattr(supervisord_module, "_CONF", "[supervisord]\nlogfile = /nowhere/at/all\n")

    with pytest.raises(DataPlaneError, match=r"did not start in .*/nowhere/at.*; none of its"):
        supervisord.start()

    assert not supervisord.is_running()


def test_without_a_supervisord_nothing_is_put_or_signalled(supervisord):
    for action in (
        lambda: supervisord.put(a_program()),
        lambda: supervisord.signal("sleeper", signal.SIGUSR2),
        supervisord.programs,
    ):
        with pytest.raises(DataPlaneError, match=r"no supervisord answers at .*; nothing was st"):
            action()

    assert supervisord.find_programs() is None
    supervisord.take("sleeper")
    supervisord.stop()
    assert not supervisord.directory.exists()


def _text(path):
    return path.read_text().strip() if path.exists() else ""
