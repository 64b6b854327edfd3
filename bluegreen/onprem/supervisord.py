"""Drives one supervisord of its own, which keeps the processes of one service running."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.onprem import launch, orphans
from bluegreen.onprem.private_files import PrivateDirectory, tail, write_private
from bluegreen.onprem.program import (
    Program,
    ProgramState,
    ProgramStatus,
    conf_of,
    process_name,
)
from bluegreen.onprem.supervisord_client import Fault, NobodyAnswersError, SupervisordClient

__all__ = ["Program", "ProgramState", "ProgramStatus", "Supervisord"]

# unix(7): sun_path holds 108 bytes with its end; supervisord binds `<socket>.<pid>` before it links
# that to its name, and a pid has up to 7 digits.
_SOCKET_BYTES = 107 - len(".4194304")
# supervisord expands %, splits and globs in paths, and takes ; and # for comments.
_PATH = re.compile(r"[\w ./@+=:,~-]+")
_RUNNING = 1  # supervisor.states.SupervisorStates
_WITHOUT_WAITING = False
_ANSWER_SECONDS = 15.0
_POLL_SECONDS = 0.05
_STOP_MARGIN_SECONDS = 10.0
# What programs get from whoever happens to start supervisord first. Nothing else: an update runs
# with the passphrase and the tokens of its stack in its environment.
_KEPT_ENVIRONMENT = frozenset(
    {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "SHELL"}
    | {"TMPDIR", "TZ", "USER"}
)
_CONF = """\
[unix_http_server]
file = {directory}/supervisor.sock
chmod = 0600

[supervisord]
logfile = {directory}/supervisord.log
logfile_maxbytes = 5MB
logfile_backups = 2
pidfile = {directory}/supervisord.pid
nocleanup = true
umask = 077

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://{directory}/supervisor.sock
"""
_ITS_PROGRAMS = """
[include]
files = programs/*.conf
"""


class Supervisord:
    """One supervisord and its programs; everything it knows is in its run directory.

    Several of these objects, in several threads or processes, may drive the same supervisord as
    long as they put and take different programs.
    """

    def __init__(self, run_directory: Path, owner: str | None = None) -> None:
        """Takes where it is; starts and reads nothing yet.

        Args:
            run_directory: Where it keeps everything.
            owner: Who wants it. It is not started, stopped or deleted in the directory of another
                owner; without a name nobody is another.
        """
        # As supervisord itself makes paths absolute.
        self.directory = Path(os.path.abspath(run_directory))  # noqa: PTH100
        self._socket = self.directory / "supervisor.sock"
        self._conf = self.directory / "supervisord.conf"
        self._log = self.directory / "supervisord.log"
        self._files = PrivateDirectory(self.directory)
        self._owner = owner or None
        self._client = SupervisordClient(self._socket)
        _check_path(self.directory, self._socket)

    @property
    def owner(self) -> str | None:
        """Who has claimed the run directory; None when nobody has."""
        return self._files.owner

    @property
    def is_open_to_others(self) -> bool:
        """Whether other users can get into the run directory; the next start closes it."""
        return self._files.is_open_to_others

    @property
    def is_anothers(self) -> bool:
        """Whether somebody else has claimed the run directory."""
        return self._owner is not None and self.owner not in {None, self._owner}

    def claim_problem(self, formerly: str | None = None) -> str | None:
        """Why a start would be refused: the directory is another's; None when it is not."""
        return self._files.claim_problem(self._owner, formerly) if self._owner else None

    def directory_problem(self) -> str | None:
        """Why the run directory could not be used, as far as that can be told without making it."""
        return self._files.problem()

    def start(self, formerly: str | None = None) -> None:
        """Sees to it that supervisord answers; programs it was given before run again.

        Unless a killed supervisord has left processes that still serve: no other can adopt them,
        and they hold the ports of those that would be started. They go on until whoever gave a
        program puts it again: then nobody but that one is replaced. See `left_behind`.

        Args:
            formerly: What the owner was called when it claimed the directory.

        Raises:
            ConfigError: The directory belongs to somebody else; nothing was started.
            DataPlaneError: supervisord does not answer.
        """
        self._files.make("programs", "processes", "logs")
        with self._files.lock():
            if self._owner is not None:
                self._files.claim(self._owner, formerly)
            if self._is_adoptable():
                return
            left = self.left_behind()
            # What nobody would put again must not go on.
            self._end_orphans(self._noted() - left.keys())
            self._delete_traces()
            conf = _CONF.format(directory=self.directory)
            write_private(self._conf, conf if left else conf + _ITS_PROGRAMS)
            self._launch()
            # It reads its file again with every `reloadConfig`.
            write_private(self._conf, conf + _ITS_PROGRAMS)

    def left_behind(self) -> dict[str, int]:
        """The programs that a killed supervisord has left running, with their process."""
        names = self._noted() - (self.find_programs() or {}).keys()
        notes = {name: orphans.read_note(self._journal(name)) for name in sorted(names)}
        return {
            name: note.pid
            for name, note in notes.items()
            if note and orphans.is_noted(note) and self._conf_of(name).exists()
        }

    def is_running(self) -> bool:
        """Whether supervisord answers and takes orders."""
        return self._client.mood() == _RUNNING

    def pid(self) -> int | None:
        """The process of this supervisord, whether it answers or not."""
        try:
            pid = int((self.directory / "supervisord.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(self._conf) in command and orphans.is_alive(pid) else None

    def stop(self) -> None:
        """Ends all programs gracefully, then supervisord; `start` brings both back."""
        if not self._files.is_ours or self.is_anothers:
            return
        with self._files.lock():
            pid = self.pid()
            if self.is_running():
                self._repeat_until_done(list(self.programs()), self._stops)
                self._client.call("shutdown")
            if pid is not None:
                self._end_daemon(pid)
            self._end_orphans()
            self._delete_traces()

    def remove(self) -> None:
        """Stops everything and deletes the run directory with its logs."""
        if not self.directory.exists() or self.is_anothers:
            return
        if not self._files.is_ours:
            msg = (
                f"not deleting {self.directory}, which was not made by bluegreen; nothing was "
                "stopped or deleted; check `run_directory`"
            )
            raise DataPlaneError(msg)
        self.stop()
        self._files.remove()

    def put(self, *programs: Program) -> list[str]:
        """Sees to it that programs run as given; returns the names of those that were started.

        A program that is up and was given the same before is left alone. Others are stopped, all at
        once, before they are started; nobody waits until the new ones are up.
        """
        states = self.programs()
        fresh = [program for program in programs if not _is_up(states.get(program.name), program)]
        names = [program.name for program in fresh]
        # Before anybody is stopped: on a full disk all goes on as it is.
        self._write_programs(fresh)
        self._remove(names)
        for name in names:
            self._first_arguments(name).unlink(missing_ok=True)
        self._start_programs(fresh)
        return names

    def put_beside(self, program: Program, *first_arguments: str) -> None:
        """Starts a program beside the process that a killed supervisord has left of it.

        Args:
            program: What ends that process itself.
            first_arguments: How it is told to; for this one start only.
        """
        journal = self._journal(program.name)
        # A new process notes itself in place of the one before, which must not be lost track of.
        write_private(journal.with_suffix(".former.json"), journal.read_text())
        write_private(self._first_arguments(program.name), json.dumps(first_arguments))
        self._write_programs([program])
        self._start_programs([program])

    def _write_programs(self, programs: list[Program]) -> None:
        with self._files.lock():
            for program in programs:
                self._write_program(program)

    def _start_programs(self, programs: list[Program]) -> None:
        with self._files.lock():
            if programs:
                self._client.call("reloadConfig")
            for program in programs:
                self._add(program)
        self._wait_until_noted([program.name for program in programs])

    def take(self, *names: str) -> None:
        """Stops programs, all at once, and forgets them; their logs stay."""
        if not self._files.is_ours or self.is_anothers:
            return
        with self._files.lock():
            for name in names:
                self._conf_of(name).unlink(missing_ok=True)
            if self.find_programs() is not None:
                self._client.call("reloadConfig")
        self._remove(list(names))
        for name in names:
            self._forget_records(name)
            for journal in self._journals_of({name}):
                journal.unlink(missing_ok=True)

    def programs(self) -> dict[str, ProgramState]:
        """Every program by its name, as supervisord holds it now.

        Raises:
            DataPlaneError: No supervisord answers.
        """
        states = self.find_programs()
        if states is None:
            msg = (
                f"no supervisord answers at {self._socket}; nothing was started or stopped; run "
                "`pulumi up`, which starts it"
            )
            raise DataPlaneError(msg)
        return states

    def find_programs(self) -> dict[str, ProgramState] | None:
        """Every program by its name; None when no supervisord answers. Asks once."""
        try:
            processes = self._client.call("getAllProcessInfo")
        except NobodyAnswersError:
            return None
        return {
            each["group"]: ProgramState(
                name=each["group"],
                status=ProgramStatus(each["statename"]),
                pid=each["pid"] or None,
                digest=each["name"].rpartition(".")[2],
                reason=each["spawnerr"],
            )
            for each in processes
        }

    def names(self) -> list[str]:
        """Every program it was given, whether it runs or not, and whatever is left of one."""
        files = [*self.directory.glob("programs/*"), *self.directory.glob("processes/*")]
        # What begins with a dot was never finished, and is nobody's.
        named = {path.name.partition(".")[0] for path in files} - {""}
        return sorted(named | (self.find_programs() or {}).keys())

    def program_of(self, state: ProgramState) -> Program | None:
        """What supervisord was given for a program; None when the record is gone."""
        return _read_program(self._record(state.name, state.digest))

    def program_left_behind(self, name: str) -> Program | None:
        """What a killed supervisord was given for a program; None when there is no telling."""
        records = list(self.directory.glob(f"programs/{name}.*.json"))
        return _read_program(records[0]) if len(records) == 1 else None

    def signal(self, name: str, number: int) -> None:
        """Sends a signal to the main process of a program."""
        state = self.programs().get(name)
        if state is None:
            msg = f"{name} is not a program of this service; no signal was sent"
            raise DataPlaneError(msg)
        self._client.call("signalProcess", state.namespec, str(int(number)), about=name)

    def log_of(self, name: str) -> Path:
        """Where the output of a program goes."""
        return self.directory / f"logs/{name}.log"

    def log_tail(self, name: str, since: int = 0) -> str:
        """The last 20 lines of a program's output, from a byte onwards; empty when it has none."""
        return tail(self.log_of(name), since)

    def _record(self, name: str, digest: str) -> Path:
        # Named by the digest, so that a program that was not replaced yet starts as it was.
        return self.directory / f"programs/{name}.{digest}.json"

    def _conf_of(self, name: str) -> Path:
        return self.directory / f"programs/{name}.conf"

    def _journal(self, name: str) -> Path:
        return self.directory / f"processes/{name}.json"

    def _first_arguments(self, name: str) -> Path:
        # Where the launcher looks for it.
        return self._journal(name).with_suffix(".first")

    def _write_program(self, program: Program) -> None:
        launcher = self.directory / "launch.py"
        record = self._record(program.name, program.digest)
        journal, log = self._journal(program.name), self.log_of(program.name)
        # A copy: a restart must not depend on what becomes of the installed library.
        write_private(launcher, Path(launch.__file__).read_text(encoding="utf-8"))
        write_private(record, program.to_json())
        write_private(
            self._conf_of(program.name),
            conf_of(program, launcher, record, journal, log),
        )

    def _add(self, program: Program) -> None:
        name = program.name
        self._client.call("addProcessGroup", name, about=name)
        self._client.call(
            "startProcess",
            f"{name}:{process_name(name, program.digest)}",
            _WITHOUT_WAITING,
            about=name,
            # It may start by itself first, or end at once: its state tells.
            unless=(Fault.ALREADY_STARTED, Fault.SPAWN_ERROR),
        )
        self._forget_records(name, keep=program.digest)

    def _wait_until_noted(self, names: list[str]) -> None:
        """Waits until each process has noted itself: from then on none can be lost track of."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        while names and time.monotonic() < deadline:
            states = self.programs()
            names = [name for name in names if name in states and not self._is_noted(states[name])]
            time.sleep(_POLL_SECONDS if names else 0)

    def _is_noted(self, state: ProgramState) -> bool:
        note = orphans.read_note(self._journal(state.name))
        return not state.status.is_up or (note is not None and note.pid == state.pid)

    def _forget_records(self, name: str, keep: str | None = None) -> None:
        for record in self.directory.glob(f"programs/{name}.*.json"):
            if record != self._record(name, keep or ""):
                record.unlink(missing_ok=True)

    def _remove(self, names: list[str]) -> None:
        if self.find_programs() is not None:
            self._repeat_until_done(names, self._goes)
        # Children may have outlived their parent, and may still hold its port.
        self._end_orphans(names)

    def _stops(self, state: ProgramState) -> bool:
        if state.status.is_down:
            return True
        if state.status is not ProgramStatus.STOPPING:
            self._client.call(
                "stopProcess",
                state.namespec,
                _WITHOUT_WAITING,
                about=state.name,
                unless=(Fault.NOT_RUNNING,),
            )
        return False

    def _goes(self, state: ProgramState) -> bool:
        if self._stops(state):
            # Unless supervisord has started it again since it was looked at.
            self._client.call(
                "removeProcessGroup", state.name, about=state.name, unless=(Fault.STILL_RUNNING,)
            )
        return False

    def _repeat_until_done(self, names: list[str], step: Callable[[ProgramState], bool]) -> None:
        """Repeats a step for every program, until it says so or the program is gone."""
        deadline = time.monotonic() + self._stop_seconds(names) + _STOP_MARGIN_SECONDS
        while names:
            states = self.programs()
            names = [name for name in names if name in states and not step(states[name])]
            if names and time.monotonic() > deadline:
                msg = (
                    f"{', '.join(names)} did not end, not even by SIGKILL; nothing was started in "
                    f"its place; look at {self._log}"
                )
                raise DataPlaneError(msg)
            time.sleep(_POLL_SECONDS if names else 0)

    def _stop_seconds(self, names: Iterable[str]) -> int:
        seconds = [1]
        for name in names:
            for record in self.directory.glob(f"programs/{name}.*.json"):
                with contextlib.suppress(OSError, ValueError, TypeError):
                    seconds.append(Program.from_json(record.read_text()).stop_seconds)
        return max(seconds)

    def _noted(self) -> set[str]:
        return {_program_of(path) for path in self.directory.glob("processes/*.json")}

    def _journals_of(self, names: Collection[str]) -> list[Path]:
        journals = self.directory.glob("processes/*.json")
        return [path for path in journals if _program_of(path) in names]

    def _end_orphans(self, names: Collection[str] | None = None) -> None:
        wanted = self._noted() if names is None else names
        notes = [orphans.read_note(path) for path in self._journals_of(wanted)]
        marker = f"SUPERVISOR_SERVER_URL=unix://{self._socket}"
        left = orphans.end([note for note in notes if note], marker, self._stop_seconds(wanted))
        if left:
            msg = (
                "processes that supervisord has left behind could not be ended: pid "
                f"{', '.join(map(str, left))}; nothing was started in their place; end them, then "
                "run `pulumi up` again"
            )
            raise DataPlaneError(msg)

    def _launch(self) -> None:
        try:
            # What is waited for is its first process; it forks off when its socket is open.
            first = subprocess.run(
                [sys.executable, "-X", "utf8", "-m", "supervisor.supervisord", "-c", self._conf],
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_ANSWER_SECONDS,
                cwd="/",
                env={key: value for key, value in os.environ.items() if key in _KEPT_ENVIRONMENT},
                start_new_session=True,
                # Its log is there before it reads its own umask.
                umask=0o077,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._not_started(str(error)) from error
        if first.returncode:
            raise self._not_started(first.stderr.decode(errors="replace").partition("\n")[0])
        reason = f"no answer within {_ANSWER_SECONDS:g} s"
        deadline = time.monotonic() + _ANSWER_SECONDS
        while not self.is_running():
            if time.monotonic() > deadline:
                raise self._not_started(reason)
            time.sleep(_POLL_SECONDS)

    def _not_started(self, reason: str) -> DataPlaneError:
        return DataPlaneError(
            f"supervisord did not start in {self.directory}: {reason}; none of its programs were "
            f"started; the end of {self._log}:\n{tail(self._log)}"
        )

    def _is_adoptable(self) -> bool:
        """Whether one runs; waits for the end of one that is on its way out."""
        mood = self._client.mood()
        pid = self.pid()
        if mood == _RUNNING or pid is None:
            return mood == _RUNNING
        if mood is None:
            msg = (
                f"supervisord (pid {pid}) of {self.directory} runs but does not answer; nothing "
                f"was started or stopped; look at {self._log}, or end it with `kill -9 {pid}`, "
                "then run `pulumi up` again"
            )
            raise DataPlaneError(msg)
        self._end_daemon(pid, self._stop_seconds(self.names()))
        return False

    def _end_daemon(self, pid: int, grace_seconds: float = 0) -> None:
        """Waits for the end of supervisord, which has been told to, and kills it if it stays."""
        if not orphans.ends_within(pid, grace_seconds + _STOP_MARGIN_SECONDS):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if not orphans.ends_within(pid, _STOP_MARGIN_SECONDS):
                msg = f"supervisord (pid {pid}) of {self.directory} did not end by SIGKILL"
                raise DataPlaneError(msg)

    def _delete_traces(self) -> None:
        """Deletes what would look like a supervisord that runs."""
        self._socket.unlink(missing_ok=True)
        (self.directory / "supervisord.pid").unlink(missing_ok=True)


def _check_path(directory: Path, socket: Path) -> None:
    length = len(os.fsencode(socket))
    if length > _SOCKET_BYTES:
        problem = (
            f"run directory {directory} is too long: its socket would have a path of {length} "
            f"bytes, and the limit is {_SOCKET_BYTES}; nothing was started; set a shorter "
            "service.onprem.run_directory"
        )
        raise ConfigError([problem])
    if not _PATH.fullmatch(str(directory)):
        problem = (
            f"run directory {str(directory)!r} has characters that supervisord would read as its "
            "own syntax; nothing was started; set service.onprem.run_directory to letters, digits, "
            "spaces and any of . / _ - @ + = : , ~"
        )
        raise ConfigError([problem])


def _program_of(journal: Path) -> str:
    return journal.name.partition(".")[0]


def _read_program(record: Path) -> Program | None:
    try:
        return Program.from_json(record.read_text())
    except (OSError, ValueError, TypeError):
        return None


def _is_up(state: ProgramState | None, program: Program) -> bool:
    return state is not None and state.digest == program.digest and state.status.is_up
