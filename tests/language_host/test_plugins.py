"""Plugins written in Python, which the language host runs for the engine."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import grpc
import pytest
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from tests.language_host.project import Project, SeenProcess, descendants, eventually
from tools.engine.environment import EngineHome

MIB = 1024 * 1024


def test_a_component_from_a_plugin_reaches_the_program(project: Project):
    project.write("plugin/PulumiPlugin.yaml", "runtime: python\n")
    project.write(
        "plugin/__main__.py",
        """
        from typing import Optional, TypedDict
        import pulumi
        from pulumi.provider.experimental import component_provider_host

        class GreetingArgs(TypedDict):
            who: pulumi.Input[str]

        class Greeting(pulumi.ComponentResource):
            text: pulumi.Output[str]

            def __init__(
                self, name: str, args: GreetingArgs, opts: Optional[pulumi.ResourceOptions] = None
            ) -> None:
                super().__init__("greeting:index:Greeting", name, {}, opts)
                self.text = pulumi.Output.concat("hello ", args["who"])
                self.register_outputs({"text": self.text})

        component_provider_host(name="greeting", components=[Greeting])
        """,
    )
    project.write(
        "Pulumi.yaml",
        """
        name: sample
        runtime: python
        plugins:
          providers:
            - name: greeting
              path: plugin
        """,
    )
    project.write(
        "__main__.py",
        """
        import pulumi

        class Greeting(pulumi.ComponentResource):
            text: pulumi.Output[str]

            def __init__(self, name, who):
                props = {"who": who, "text": None}
                super().__init__("greeting:index:Greeting", name, props, None, True)

        pulumi.export("text", Greeting("greeting", "blue").text)
        """,
    )

    done = project.up()

    assert done.returncode == 0, done.stdout + done.stderr
    assert project.outputs() == {"text": "hello blue"}
    assert "Traceback" not in done.stdout + done.stderr


@contextmanager
def a_host(engine: EngineHome) -> Iterator[subprocess.Popen[str]]:
    """The language host as the engine starts it, without an engine."""
    with subprocess.Popen(
        [engine.bin / "pulumi-language-python", "-v=9", "--logtostderr", "127.0.0.1:1"],
        env=engine.environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as host:
        try:
            yield host
        finally:
            host.kill()


@contextmanager
def connected(
    host: subprocess.Popen[str],
) -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    assert host.stdout is not None
    port = int(host.stdout.readline())
    options = [("grpc.max_receive_message_length", 400 * MIB)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        yield language_pb2_grpc.LanguageRuntimeStub(channel)


def a_plugin(folder: Path, text: str) -> language_pb2.RunPluginRequest:
    (folder / "__main__.py").write_text(dedent(text))
    return language_pb2.RunPluginRequest(
        pwd=str(folder),
        args=["one", "two words"],
        env=[f"PATH={os.environ['PATH']}", "EQUATION=a=b"],
        info=language_pb2.ProgramInfo(
            root_directory=str(folder), program_directory=str(folder), entry_point="."
        ),
    )


def test_a_plugin_is_streamed_with_its_exit_code(engine: EngineHome, tmp_path: Path):
    plugin = a_plugin(
        tmp_path,
        """
        import os
        import sys
        print(sys.argv[1:], os.environ["EQUATION"], os.getcwd())
        print("problem", file=sys.stderr)
        sys.exit(5)
        """,
    )

    with a_host(engine) as host, connected(host) as runtime:
        answers = list(runtime.RunPlugin(plugin, timeout=20))

    assert b"".join(answer.stdout for answer in answers).decode() == (
        f"['one', 'two words'] a=b {tmp_path}\n"
    )
    assert b"".join(answer.stderr for answer in answers) == b"problem\n"
    assert answers[-1].exitcode == 5


SLOW_PLUGIN = """
    import signal
    import time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready")
    time.sleep(60)
"""


def running_plugin(
    host: subprocess.Popen[str], first: language_pb2.RunPluginResponse
) -> SeenProcess:
    assert first.stdout.startswith(b"ready")
    (plugin,) = descendants(host.pid)
    return plugin


def test_a_plugin_ends_when_the_call_is_cancelled(engine: EngineHome, tmp_path: Path):
    with a_host(engine) as host, connected(host) as runtime:
        call = runtime.RunPlugin(a_plugin(tmp_path, SLOW_PLUGIN), timeout=30)
        plugin = running_plugin(host, next(call))
        call.cancel()

        assert eventually(lambda: not plugin.is_running(), 5)
        assert host.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_host_told_to_end_ends_its_plugins_first_and_says_nothing(
    engine: EngineHome, tmp_path: Path, number: signal.Signals
):
    with a_host(engine) as host, connected(host) as runtime:
        call = runtime.RunPlugin(a_plugin(tmp_path, SLOW_PLUGIN), timeout=30)
        plugin = running_plugin(host, next(call))

        os.killpg(host.pid, number)

        assert host.wait(5) == 0
        assert not plugin.is_running()
        assert host.stderr is not None
        assert host.stderr.read() == ""


def test_a_plugin_in_a_missing_virtualenv_is_refused_with_the_reason(
    engine: EngineHome, tmp_path: Path
):
    plugin = a_plugin(tmp_path, "print('never')")
    plugin.info.options["virtualenv"] = "missing"

    with (
        a_host(engine) as host,
        connected(host) as runtime,
        pytest.raises(grpc.RpcError, match=r"means .*/missing, which does not exist"),
    ):
        list(runtime.RunPlugin(plugin, timeout=20))


def test_messages_may_be_larger_than_what_grpc_allows_by_default(
    engine: EngineHome, tmp_path: Path
):
    plugin = a_plugin(tmp_path, "import sys\nprint(len(sys.argv))\n")
    plugin.loader_target = "x" * (8 * MIB)

    with a_host(engine) as host, connected(host) as runtime:
        answers = list(runtime.RunPlugin(plugin, timeout=20))

    assert b"".join(answer.stdout for answer in answers) == b"3\n"


def test_the_host_says_which_python_and_which_packages_a_program_gets(
    engine: EngineHome, tmp_path: Path
):
    info = a_plugin(tmp_path, "").info

    with a_host(engine) as host, connected(host) as runtime:
        about = runtime.About(language_pb2.AboutRequest(info=info), timeout=20)
        request = language_pb2.GetProgramDependenciesRequest(info=info, transitiveDependencies=True)
        packages = runtime.GetProgramDependencies(request, timeout=60).dependencies

    assert about.executable == str(engine.python.with_name("python3"))
    assert about.version.startswith("3.")
    assert "pulumi" in {package.name for package in packages}


def test_requirements_that_cannot_be_installed_are_reported(engine: EngineHome, tmp_path: Path):
    info = a_plugin(tmp_path, "").info
    (tmp_path / "requirements.txt").write_text("./missing-folder\n")
    request = language_pb2.InstallDependenciesRequest(info=info)

    with a_host(engine) as host, connected(host) as runtime:
        answers = []
        with pytest.raises(grpc.RpcError, match=r"pip could not install .*requirements\.txt"):
            answers.extend(runtime.InstallDependencies(request, timeout=60))
