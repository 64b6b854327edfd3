"""Programs under supervisord: what reaches them, when they are replaced, how they end."""

import configparser
import json
import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem import orphans
from bluegreen.onprem.program import quoted
from bluegreen.onprem.supervisord import Program, ProgramStatus

NASTY = (
    "plain",
    "",
    "100% of %(here)s and %%s",
    "it's",
    'say "hi"',
    """both ' and " here""",
    '"quoted"',
    "'quoted'",
    "a,b=c,D='e'",
    "two  spaces ",
    " leads",
    "not ;a comment #really",
    "tab\there",
    "two\nlines\n[program:evil]",
    "back\\slash $HOME `id` $(id) {port} *",
    "ünï…✓",
)
DUMP = """
import json, os, sys, pathlib
target = pathlib.Path(sys.argv[1])
target.with_suffix(".new").write_text(json.dumps([sys.argv[2:], dict(os.environ), os.getcwd()]))
target.with_suffix(".new").rename(target)
import time; time.sleep(1000)
"""


@pytest.fixture
def running(supervisord):
    supervisord.start()
    return supervisord


def a_program(name="sleeper", *command, **values):
    command = command or ("sleep", "1000")
    return Program(name=name, command=command, **{"start_seconds": 0, "stop_seconds": 5, **values})


def test_every_argument_and_variable_arrives_as_it_was_given(running, scratch, wait_for):
    dump, directory = scratch / "dump.json", scratch / "my 100% dir"
    directory.mkdir()
    environment = {f"NASTY_{number}": value for number, value in enumerate(NASTY)}
    environment |= {"UID": "7", "odd.name-1": "kept"}

    running.put(
        a_program(
            "dumper",
            *(sys.executable, "-c", DUMP, str(dump), *NASTY),
            environment=environment,
            directory=str(directory),
        )
    )

    wait_for(dump.exists)
    arguments, seen, cwd = json.loads(dump.read_text())
    assert tuple(arguments) == NASTY
    assert {name: seen[name] for name in environment} == environment
    assert cwd == str(directory)


# An ini value has no line breaks; paths with them are refused before.
@pytest.mark.parametrize("word", [word for word in NASTY if "\n" not in word])
def test_words_survive_supervisords_own_file(word):
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(f"[program:x]\ncommand = {quoted('python', word, 'last')}\n")

    assert shlex.split(parser["program:x"]["command"] % {}) == ["python", word, "last"]


def test_secrets_are_in_no_command_line_and_not_in_a_repr(running, wait_for):
    program = a_program(environment={"TOKEN": "fake-secret-value"})

    running.put(program)

    state = running.programs()["sleeper"]
    environ = Path(f"/proc/{state.pid}/environ")
    wait_for(lambda: b"TOKEN=fake-secret-value" in environ.read_bytes())
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = command.read_bytes()
        except OSError:
            continue
        assert b"fake-secret-value" not in text
    assert "fake-secret-value" not in repr(program) + repr(state)
    assert "fake-secret-value" not in (running.directory / "supervisord.log").read_text()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"name": "Blue 0"}, "lower-case letters"),
        ({"name": "x/../y"}, "lower-case letters"),
        ({"command": ()}, "empty command"),
        ({"environment": {"A": "x\0y"}}, "NUL"),
        ({"environment": {"A=B": "x"}}, "contain ="),
        ({"stop_seconds": 0}, "at least 1 second"),
    ],
)
def test_what_no_process_can_be_given_is_refused(values, complaint):
    with pytest.raises(ConfigError, match=f"{complaint}.*; nothing was started"):
        Program(**{"name": "x", "command": ("sleep", "1"), **values})


def test_only_what_has_changed_is_started_anew(running):
    assert running.put(a_program("one"), a_program("two")) == ["one", "two"]
    before = running.programs()

    started = running.put(a_program("one"), a_program("two", environment={"RELEASE": "2"}))

    after = running.programs()
    assert started == ["two"]
    assert after["one"] == before["one"]
    assert after["two"].pid != before["two"].pid
    assert after["two"].digest != before["two"].digest
    assert not orphans.is_alive(before["two"].pid)
    assert running.program_of(after["two"]).environment == {"RELEASE": "2"}
    assert len(list((running.directory / "programs").iterdir())) == 4


def test_what_has_given_up_is_started_anew(running, wait_for, scratch):
    program = a_program("picky", "sh", "-c", f"test -e {scratch}/go && exec sleep 1000")
    running.put(program)
    wait_for(lambda: not running.programs()["picky"].pid)
    (scratch / "go").touch()

    running.put(program)

    wait_for(lambda: running.programs()["picky"].status is ProgramStatus.RUNNING, 2)


def test_a_program_that_dies_is_restarted_as_it_was_even_while_its_files_are_newer(
    running, wait_for
):
    running.put(a_program(environment={"RELEASE": "1"}))
    before = running.programs()["sleeper"]
    # An update that was killed between writing and replacing.
    running._write_program(a_program(environment={"RELEASE": "2"}))

    os.kill(before.pid, signal.SIGKILL)

    after = wait_for(
        lambda: (state := running.programs()["sleeper"]).pid not in {None, before.pid} and state
    )
    environ = Path(f"/proc/{after.pid}/environ")
    wait_for(lambda: b"\0RELEASE=1\0" in b"\0" + environ.read_bytes())
    assert after.digest == before.digest


def test_what_was_taken_is_gone_and_its_log_stays(running):
    running.put(a_program("one", "sh", "-c", "echo hello; exec sleep 1000"), a_program("two"))
    before = running.programs()
    deadline = time.monotonic() + 5
    while running.log_tail("one") != "hello":
        assert time.monotonic() < deadline

    running.take("one", "never-there")

    assert list(running.programs()) == ["two"]
    assert running.programs()["two"] == before["two"]
    assert not orphans.is_alive(before["one"].pid)
    assert running.log_tail("one") == "hello"
    assert running.log_tail("one", since=3) == "lo"
    names = {path.name for path in (running.directory / "programs").iterdir()}
    assert all(name.startswith("two.") for name in names)


def test_what_is_taken_from_a_dead_supervisord_does_not_come_back(running, kill_daemon):
    running.put(a_program("one"), a_program("two"))
    before = running.programs()
    kill_daemon()

    running.take("one")

    assert not orphans.is_alive(before["one"].pid)
    assert orphans.is_alive(before["two"].pid)
    running.start()
    assert running.left_behind() == {"two": before["two"].pid}
    assert running.programs() == {}


def test_two_threads_do_not_disturb_each_other_or_a_third_program(running):
    running.put(a_program("steady"))
    before = running.programs()["steady"]
    failures = []

    def churn(color):
        try:
            for release in ("1", "2", "3"):
                running.put(
                    *(
                        a_program(f"{color}-{index}", environment={"RELEASE": release})
                        for index in range(3)
                    )
                )
                running.take(f"{color}-2")
        except DataPlaneError as error:
            failures.append(error)

    threads = [threading.Thread(target=churn, args=[color]) for color in ("blue", "green")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failures == []
    states = running.programs()
    assert sorted(states) == ["blue-0", "blue-1", "green-0", "green-1", "steady"]
    assert states["steady"] == before
    releases = {
        running.program_of(states[name]).environment["RELEASE"]
        for name in states
        if name != "steady"
    }
    assert releases == {"3"}


def test_sigterm_reaches_the_process_and_its_child(running, scratch, wait_for):
    note = f"""trap 'echo $0 >> {scratch}/ended; exit' TERM; touch {scratch}/$0;"""
    child = f"sh -c {shlex.quote(note + 'sleep 1000 & wait')} child"
    parent = f"{note} {child} & wait; wait"
    running.put(a_program("family", "sh", "-c", parent, "parent"))
    wait_for(lambda: (scratch / "parent").exists() and (scratch / "child").exists())

    running.take("family")

    assert sorted((scratch / "ended").read_text().split()) == ["child", "parent"]


@pytest.mark.parametrize("stubborn", ["parent", "child"])
def test_who_ignores_sigterm_is_killed_after_its_time(running, scratch, wait_for, stubborn):
    ignore = f"trap '' TERM; touch {scratch}/up; while :; do sleep 0.05; done"
    command = ignore if stubborn == "parent" else f"(trap '' TERM; ({ignore})) & exec sleep 1000"
    running.put(a_program("stubborn", "sh", "-c", command, stop_seconds=1))
    group = running.programs()["stubborn"].pid
    wait_for((scratch / "up").exists)
    began = time.monotonic()

    running.take("stubborn")

    assert 0.9 < time.monotonic() - began < 4
    # Processes that were just killed may still be waiting for somebody to collect them.
    assert not [pid for pid in _group(group) if orphans.is_alive(pid)]


def test_a_signal_reaches_the_program(running, scratch, wait_for):
    loop = "while :; do sleep 0.05; done"
    command = f"trap 'touch {scratch}/reloaded' USR2; touch {scratch}/up; {loop}"
    running.put(a_program("proxy", "sh", "-c", command))
    wait_for((scratch / "up").exists)

    running.signal("proxy", signal.SIGUSR2)

    wait_for((scratch / "reloaded").exists)
    with pytest.raises(DataPlaneError, match=r"other is not a program .*; no signal was sent"):
        running.signal("other", signal.SIGUSR2)


def test_a_log_tail_is_short(running, wait_for):
    running.put(a_program("chatty", "sh", "-c", "seq 100000 199999; exec sleep 1000"))

    tail = wait_for(lambda: (text := running.log_tail("chatty")).endswith("199999") and text)

    assert tail.splitlines() == [str(number) for number in range(199980, 200000)]


def _group(group):
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == group:
                found.append(int(process.name))
        except ProcessLookupError:
            continue
    return found
