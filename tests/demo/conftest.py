import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bluegreen.onprem.supervisord import Supervisord
from tests.engine.pulumi_stack import ENGINE, REPOSITORY, engine_environment
from tests.ports import free_ports
from tools.demo.plan import DemoPlan

WHOLE_DEMO_SECONDS = 300


@dataclass(frozen=True)
class Demo:
    """A demo whose stack, ports, state and results are its own."""

    plan: DemoPlan
    environment: dict[str, str]

    def start(self, *options: str) -> subprocess.Popen[str]:
        words = ("--stack", self.plan.stack, "--first-port", str(self.plan.first_port))
        return subprocess.Popen(
            [sys.executable, "-m", "tools.demo", *words, "--into", str(self.plan.into), *options],
            cwd=REPOSITORY,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *options: str) -> tuple[int, str]:
        with self.start(*options) as process:
            try:
                output, _ = process.communicate(timeout=WHOLE_DEMO_SECONDS)
            finally:
                process.kill()
        return process.returncode, output

    def stacks(self) -> str:
        command = ["pulumi", "stack", "ls", "--json"]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self.environment, capture_output=True, check=True
        )
        return done.stdout.decode().strip()


@pytest.fixture
def demo() -> Iterator[Demo]:
    if not (ENGINE / "pulumi").exists() and shutil.which("pulumi") is None:
        pytest.skip("no Pulumi engine; `make setup` makes one")
    if shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") is None:
        pytest.skip("haproxy is not installed")
    folder = Path(tempfile.mkdtemp(prefix="bg-demo-"))
    plan = DemoPlan(
        root=REPOSITORY,
        into=folder / "results",
        stack=f"demo-test-{os.getpid()}",
        first_port=free_ports(18)[0],
    )
    environment = engine_environment(folder / "engine") | {"COLUMNS": "80"}
    try:
        yield Demo(plan, environment)
    finally:
        with contextlib.suppress(Exception):
            Supervisord(plan.run_directory).remove()
        plan.config_file.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
