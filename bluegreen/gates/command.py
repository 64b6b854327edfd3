"""Does a program, for example a smoke test, end well?"""

import atexit
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bluegreen.gates.gate import Deadline, Subject, Verdict, WrittenGate
from bluegreen.gates.masking import MaskedTail
from bluegreen.gates.wording import error_text, one_line, seconds

__all__ = ["OUTPUT_LIMIT_BYTES", "CommandGate"]

OUTPUT_LIMIT_BYTES = 4096
_CHUNK_BYTES = 65536
_POLL_SECONDS = 0.02

# Holds every config value of the running program, secrets decrypted; a smoke test needs none of it.
_NEVER_PASSED_ON = ("PULUMI_CONFIG",)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandGate(WrittenGate):
    """Passes when the program ends with status 0 in time.

    It runs without a shell, in a process group of its own that is killed at the deadline, and once
    the program has ended: nothing that it started in the background stays.
    """

    arguments: tuple[str, ...]
    """The program and its arguments."""

    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """On top of this process's environment."""

    secret_env: tuple[str, ...] = ()
    """Names of variables whose values are masked in everything that is kept."""

    timeout_seconds: float = 60

    @property
    def runs_in_preview(self) -> bool:
        """Never: nobody expects a preview to run a program that may log in and place orders."""
        return False

    @property
    def lacks(self) -> str:
        """The variables that are to be masked and are not there."""
        missing = [name for name in self.secret_env if name not in {**os.environ, **self.env}]
        return f"no variable {', '.join(missing)} to mask; set it or unlist it" if missing else ""

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Runs the program once and waits for its end, at most until the deadline."""
        env = self._environment(subject)
        output = MaskedTail(OUTPUT_LIMIT_BYTES, (env[name] for name in self.secret_env))
        limit = deadline.remaining_seconds
        try:
            status = _run(self.arguments, env, deadline, output)
        except OSError as error:
            return self._verdict(output.mask(self._cannot_start(error)))
        return self._judge(status, output, limit)

    def _judge(self, status: int | None, output: MaskedTail, limit: float) -> Verdict:
        program, text = output.mask(self.arguments[0]), output.text()
        said = _last_line(text)
        if status is None:
            how, value = f"was killed after {seconds(limit)}", None
        elif status < 0:
            value = _signal_name(-status)
            how = f"was ended by {value}"
        else:
            value = f"status {status}"
            how = f"ended with {value}"
        reason = f"{program} {how}" + (f"; its last line: {said}" if said else "")
        return self._verdict(reason, passed=status == 0, value=value, detail=text or None)

    def _verdict(
        self,
        reason: str,
        *,
        passed: bool = False,
        value: str | None = None,
        detail: str | None = None,
    ) -> Verdict:
        return Verdict(
            gate=self.name,
            passed=passed,
            reason=one_line(reason, 500),
            value=value,
            limit="status 0",
            detail=detail,
        )

    def _cannot_start(self, error: OSError) -> str:
        program = self.arguments[0]
        if isinstance(error, FileNotFoundError):
            return (
                f"did not run: there is no program {program}, or a script's first line names none;"
                f" install it, or write its full path"
            )
        if isinstance(error, PermissionError):
            return f"did not run: {program} may not be executed; try `chmod +x {program}`"
        return f"did not run: {program} cannot be started: {error_text(error)}"

    def _environment(self, subject: Subject) -> dict[str, str]:
        inherited = {key: text for key, text in os.environ.items() if key not in _NEVER_PASSED_ON}
        return {
            **inherited,
            **self.env,
            "BLUEGREEN_COLOR": subject.color.value,
            "BLUEGREEN_RELEASE": subject.release,
            "BLUEGREEN_TEST_URL": subject.endpoint.url,
            "BLUEGREEN_TEST_HEADERS": json.dumps(dict(subject.endpoint.headers)),
        }


def _run(
    arguments: tuple[str, ...], env: dict[str, str], deadline: Deadline, output: MaskedTail
) -> int | None:
    """The exit status; None when the program had to be killed at the deadline."""
    with _started(arguments, env) as process:
        pipe = process.stdout.fileno() if process.stdout else -1
        os.set_blocking(pipe, False)
        has_ended = False
        while not has_ended and deadline.remaining_seconds > 0:
            has_ended = _has_ended(process)
            if not _read(pipe, output) and not has_ended:
                deadline.sleep(_POLL_SECONDS)
        _read_rest(pipe, output)
    return process.returncode if has_ended else None


@contextlib.contextmanager
def _started(
    arguments: tuple[str, ...], env: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        arguments,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:

        def kill() -> None:
            _kill_group(process)

        # The thread that waits here is a daemon: it does not live to see the end of an interpreter
        # that stops before the program does.
        atexit.register(kill)
        try:
            yield process
        finally:
            kill()
            atexit.unregister(kill)


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    # Without reaping: as long as the process id is taken, the group's id cannot be another group.
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, options) is not None


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _read(pipe: int, output: MaskedTail) -> bool:
    """Takes what is there; False when nothing was."""
    try:
        chunk = os.read(pipe, _CHUNK_BYTES)
    except BlockingIOError:
        return False
    output.add(chunk)
    return bool(chunk)


def _read_rest(pipe: int, output: MaskedTail) -> None:
    # A pipe holds 64 KiB; bounded, because a process that left the group may write for ever.
    for _ in range(16):
        if not _read(pipe, output):
            return


def _last_line(text: str) -> str:
    lines = [one_line(line) for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
