"""Runs Python programs for the Pulumi engine: a small stand-in for `pulumi-language-python`.

The engine starts it, reads the port from the first line of its output and calls
`pulumirpc.LanguageRuntime` there. Used where the official language host is not installed.
"""

# The names and parameters of the methods below are those of the gRPC service.
# ruff: noqa: N802, ARG002

import argparse
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import grpc
from attached import wait_for_end_of_parent
from children import Children, in_background, output_of
from google.protobuf import empty_pb2, json_format
from interpreter import Interpreter, InterpreterError, interpreter_for
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

__all__ = ["LanguageHost"]

VERSION = "3.259.0"

# What the engine and the official hosts allow (`rpcutil` in the Pulumi SDK for Go).
MAX_MESSAGE_BYTES = 400 * 1024 * 1024

# Each running program and plugin occupies one thread for as long as it lives.
MAX_CALLS = 100

# The executor's exit code for "the error has been shown".
EXIT_ALREADY_SHOWN = 32


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine; what is missing here, the engine can do without."""

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
        """The version of the official host that this one stands in for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """None in advance: a plugin is looked for when the program asks for its resources."""
        return language_pb2.GetRequiredPackagesResponse()

    def About(
        self, request: language_pb2.AboutRequest, context: grpc.ServicerContext
    ) -> language_pb2.AboutResponse:
        """Which Python would run the program."""
        interpreter = _interpreter(request.info, os.environ, context)
        version = _answer_of(interpreter, ["--version"], request.info, context)
        return language_pb2.AboutResponse(
            executable=interpreter.executable, version=version.split()[-1]
        )

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """What pip lists for the program."""
        interpreter = _interpreter(request.info, os.environ, context)
        command = ["-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
        if not request.transitiveDependencies:
            command.append("--not-required")
        packages = json.loads(_answer_of(interpreter, command, request.info, context))
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=package["name"], version=package["version"])
                for package in packages
            ]
        )

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Installs requirements.txt with pip, if there is one, into a Python that is there."""
        requirements = Path(request.info.program_directory, "requirements.txt")
        if not requirements.is_file():
            return
        interpreter = _interpreter(request.info, os.environ, context)
        command = ["module", "pip", "install", "--requirement", str(requirements)]
        environment = interpreter.environment(os.environ)
        process = self._started(
            interpreter, command, environment, request.info.program_directory, context
        )
        for stdout, stderr in output_of(process):
            yield language_pb2.InstallDependenciesResponse(stdout=stdout, stderr=stderr)
        if code := self._children.wait(process):
            _refuse(context, f"pip could not install {requirements}: exit code {code}")

    def Run(
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        """Runs the program to its end; what it prints goes where this process prints."""
        info = request.info
        try:
            interpreter = interpreter_for(Path(info.root_directory), _options(info), os.environ)
            process = self._children.start(
                interpreter,
                ["script", str(self._executor), *self._program_arguments(request)],
                _program_environment(interpreter, request),
                request.pwd,
            )
        except (InterpreterError, OSError) as error:
            return language_pb2.RunResponse(error=str(error))
        self._end_with(context, process)
        return _run_response(self._children.wait(process))

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Runs a plugin written in Python and passes on what it prints."""
        environment = dict(entry.split("=", 1) for entry in request.env) or dict(os.environ)
        interpreter = _interpreter(request.info, environment, context)
        command = ["script", request.info.program_directory, *request.args]
        process = self._started(
            interpreter, command, interpreter.environment(environment), request.pwd, context
        )
        for stdout, stderr in output_of(process):
            if stdout:
                yield language_pb2.RunPluginResponse(stdout=stdout)
            else:
                yield language_pb2.RunPluginResponse(stderr=stderr)
        yield language_pb2.RunPluginResponse(exitcode=self._children.wait(process))

    def _started(
        self,
        interpreter: Interpreter,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: str,
        context: grpc.ServicerContext,
    ) -> subprocess.Popen[bytes]:
        """A process whose output is read here."""
        try:
            process = self._children.start(
                interpreter, command, environment, folder, subprocess.PIPE
            )
        except (InterpreterError, OSError) as error:
            _refuse(context, str(error))
        self._end_with(context, process)
        return process

    def _end_with(self, context: grpc.ServicerContext, process: subprocess.Popen[bytes]) -> None:
        """Ends the process when the engine gives up the call."""

        def end() -> None:
            if process.poll() is None:
                in_background(self._children.end, process)

        if not context.add_callback(end):
            end()

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
    raise AssertionError  # `abort` has raised already


def _answer_of(
    interpreter: Interpreter,
    arguments: Sequence[str],
    info: language_pb2.ProgramInfo,
    context: grpc.ServicerContext,
) -> str:
    done = subprocess.run(
        [interpreter.executable, *arguments],
        env=interpreter.environment(os.environ),
        cwd=info.program_directory or None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        _refuse(context, done.stderr.strip())
    return done.stdout


def _program_environment(
    interpreter: Interpreter, request: language_pb2.RunRequest
) -> dict[str, str]:
    # Never on the command line, which every user of the machine can read.
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


def _started_server(host: LanguageHost) -> tuple[grpc.Server, int]:
    """The server, which ends when nothing refers to it any more, and its port."""
    server = grpc.server(
        ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="call"),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = int(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    return server, port


def _end_announcements(parent: int) -> int:
    """A descriptor that becomes readable at SIGINT, at SIGTERM, or when the engine is gone."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def watch() -> None:
        wait_for_end_of_parent(parent)
        os.write(writer, b"x")

    # Not written by a handler: the signal may be taken by another thread while this one reads.
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    in_background(watch)
    return reader


def main() -> None:
    """Serves until told to end."""
    parent = os.getppid()
    parser = argparse.ArgumentParser(description=__doc__, prog="pulumi-language-python")
    parser.add_argument("--executor", type=Path, required=True, help="pulumi-language-python-exec")
    parser.add_argument("engine", nargs="?", default="", help="address of the engine")
    # What the engine passes on when it logs or traces itself.
    parser.add_argument("--logtostderr", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("-v", dest="verbosity", help=argparse.SUPPRESS)
    parser.add_argument("--tracing", help=argparse.SUPPRESS)
    chosen = parser.parse_args()

    end = _end_announcements(parent)
    children = Children()
    server, port = _started_server(LanguageHost(chosen.engine, chosen.executor, children))
    print(port, flush=True)
    os.read(end, 1)
    children.end_all()
    server.stop(grace=None)
    # Calls that are still on their way out have nobody left to wait for them.
    os._exit(0)


if __name__ == "__main__":
    main()
