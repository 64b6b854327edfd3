"""Runs Python programs for the Pulumi engine: a small stand-in for `pulumi-language-python`.

The engine starts it, reads the port from the first line of its output and calls
`pulumirpc.LanguageRuntime` there. Used where the official language host is not installed.
"""

# The names and parameters of the methods below are those of the gRPC service.
# ruff: noqa: N802, ARG002

import argparse
import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, NoReturn

import grpc
from attached import wait_for_end_of_parent
from google.protobuf import empty_pb2, json_format
from interpreter import Interpreter, InterpreterError, interpreter_for
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

__all__ = ["LanguageHost"]

ATTACHED = str(Path(__file__).with_name("attached.py"))
VERSION = "3.259.0"

# What the engine and the official hosts allow (`rpcutil` in the Pulumi SDK for Go).
MAX_MESSAGE_BYTES = 400 * 1024 * 1024

# The usual capacity of a pipe.
CHUNK_BYTES = 64 * 1024

# Each running program and plugin occupies one thread for as long as it lives.
MAX_CALLS = 100

# The engine kills this process 5 s after asking it to end.
END_SECONDS = 2.0

# The executor's exit code for "the error has been shown".
EXIT_ALREADY_SHOWN = 32


class Children:
    """The processes started here; none of them is left behind."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def start(
        self,
        interpreter: Interpreter,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: str,
        output: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts `python -u` in a process group of its own; `output` None means this process's."""
        command = [interpreter.executable, "-u", ATTACHED, "--parent", str(os.getpid())]
        with self._lock:
            if self._is_closed:
                msg = "the language host is ending"
                raise InterpreterError(msg)
            process = subprocess.Popen(
                [*command, "script", *arguments],
                env=environment,
                cwd=folder or None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # The engine interrupts this one's group; a program would answer with a traceback.
                process_group=0,
            )
            self._running.add(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """The exit code."""
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code

    def end_all(self) -> None:
        """Ends everything, and lets nothing start any more."""
        with self._lock:
            self._is_closed = True
            running = list(self._running)
        for process in running:
            process.terminate()
        for process in running:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks the process to end, then makes it."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine."""

    def __init__(self, engine_address: str, executor: Path, children: Children) -> None:
        self._engine_address = engine_address
        self._executor = executor
        self._children = children

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Nothing to agree on."""
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        """The version of the official host this one stands in for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """None in advance: plugins are found when the program asks for their resources."""
        return language_pb2.GetRequiredPackagesResponse()

    def About(
        self, request: language_pb2.AboutRequest, context: grpc.ServicerContext
    ) -> language_pb2.AboutResponse:
        """Which Python would run the program."""
        interpreter = _interpreter(request.info, os.environ, context)
        version = _output_of(interpreter, ["--version"], request.info, context)
        return language_pb2.AboutResponse(
            executable=interpreter.executable, version=version.decode().split()[-1]
        )

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """What pip lists in the program's environment."""
        interpreter = _interpreter(request.info, os.environ, context)
        command = ["-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
        if not request.transitiveDependencies:
            command.append("--not-required")
        listed = json.loads(_output_of(interpreter, command, request.info, context))
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=package["name"], version=package["version"])
                for package in listed
            ]
        )

    def Run(
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        """Runs the program to its end; its output is this process's output."""
        try:
            interpreter = interpreter_for(
                Path(request.info.root_directory), _options(request.info), os.environ
            )
            process = self._children.start(
                interpreter,
                [str(self._executor), *self._program_arguments(request)],
                _program_environment(interpreter, request),
                request.pwd,
            )
        except (InterpreterError, OSError) as error:
            return language_pb2.RunResponse(error=str(error))
        return _run_response(self._children.wait(process))

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Runs a plugin written in Python, passing on what it prints, until it or the call ends."""
        environment = dict(entry.split("=", 1) for entry in request.env) or dict(os.environ)
        interpreter = _interpreter(request.info, environment, context)
        process = self._children.start(
            interpreter,
            [request.info.program_directory, *request.args],
            interpreter.environment(environment),
            request.pwd,
            subprocess.PIPE,
        )
        if not context.add_callback(lambda: _in_background(end, process)):
            end(process)
        yield from _output_chunks(process)
        yield language_pb2.RunPluginResponse(exitcode=self._children.wait(process))

    def _program_arguments(self, request: language_pb2.RunRequest) -> list[str]:
        named = {
            "monitor": request.monitor_address,
            "engine": self._engine_address,
            "project": request.project,
            "stack": request.stack,
            "pwd": request.pwd,
            "dry_run": "true" if request.dryRun else "",
            "parallel": str(request.parallel),
            "organization": request.organization,
            "root_directory": request.info.root_directory,
        }
        arguments = [text for key, value in named.items() if value for text in (f"--{key}", value)]
        program = Path(request.info.program_directory, request.info.entry_point)
        return [*arguments, str(program), *request.args]


def _options(info: language_pb2.ProgramInfo) -> dict[str, object]:
    return dict(json_format.MessageToDict(info.options))


def _interpreter(
    info: language_pb2.ProgramInfo, environment: Mapping[str, str], context: grpc.ServicerContext
) -> Interpreter:
    try:
        return interpreter_for(Path(info.root_directory), _options(info), environment)
    except InterpreterError as error:
        _refuse(context, str(error))


def _refuse(context: grpc.ServicerContext, text: str) -> NoReturn:
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, text)
    raise AssertionError  # `abort` has raised


def _output_of(
    interpreter: Interpreter,
    arguments: Sequence[str],
    info: language_pb2.ProgramInfo,
    context: grpc.ServicerContext,
) -> bytes:
    done = subprocess.run(
        [interpreter.executable, *arguments],
        env=interpreter.environment(os.environ),
        cwd=info.program_directory or None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        _refuse(context, done.stderr.decode(errors="replace").strip())
    return done.stdout


def _program_environment(
    interpreter: Interpreter, request: language_pb2.RunRequest
) -> dict[str, str]:
    environment = interpreter.environment(os.environ)
    environment["PULUMI_CONFIG"] = json.dumps(dict(request.config))
    environment["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
    return environment


def _run_response(code: int) -> language_pb2.RunResponse:
    if code == 0:
        return language_pb2.RunResponse()
    if code == EXIT_ALREADY_SHOWN:
        return language_pb2.RunResponse(bail=True)
    if code < 0:
        return language_pb2.RunResponse(error=f"program was ended by {signal.Signals(-code).name}")
    return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {code}")


def _output_chunks(
    process: subprocess.Popen[bytes],
) -> Iterator[language_pb2.RunPluginResponse]:
    """What the process prints on either stream, until both are closed."""
    responses: queue.SimpleQueue[language_pb2.RunPluginResponse | None] = queue.SimpleQueue()

    def pump(
        stream: IO[bytes], response: Callable[[bytes], language_pb2.RunPluginResponse]
    ) -> None:
        with stream:
            while chunk := os.read(stream.fileno(), CHUNK_BYTES):
                responses.put(response(chunk))
        responses.put(None)

    if process.stdout is None or process.stderr is None:
        return
    _in_background(pump, process.stdout, lambda b: language_pb2.RunPluginResponse(stdout=b))
    _in_background(pump, process.stderr, lambda b: language_pb2.RunPluginResponse(stderr=b))
    for _ in (process.stdout, process.stderr):
        yield from iter(responses.get, None)


def _in_background(function: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()


def _wait_for_the_end(parent: int) -> None:
    """Returns at SIGINT, at SIGTERM, or when the engine is gone."""
    reader, writer = os.pipe()

    def wake(*_: object) -> None:
        os.write(writer, b"x")

    def watch() -> None:
        wait_for_end_of_parent(parent)
        wake()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, wake)
    _in_background(watch)
    os.read(reader, 1)


def main() -> None:
    """Serves until told to end."""
    parent = os.getppid()
    parser = argparse.ArgumentParser(description=__doc__, prog="pulumi-language-python")
    parser.add_argument("--executor", type=Path, required=True)
    parser.add_argument("--logtostderr", action="store_true")
    parser.add_argument("-v", type=int, default=0)
    parser.add_argument("--tracing", default="")
    parser.add_argument("engine", nargs="?", default="")
    chosen = parser.parse_args()

    children = Children()
    server = grpc.server(
        ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="call"),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ],
    )
    host = LanguageHost(chosen.engine, chosen.executor, children)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    _wait_for_the_end(parent)
    children.end_all()
    server.stop(grace=None)
    # A call may still be on its way out; nobody is left to wait for it.
    os._exit(0)


if __name__ == "__main__":
    main()
