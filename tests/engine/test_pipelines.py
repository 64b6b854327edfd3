"""The commands of the workflows in `examples/ci`, in the order in which a project meets them."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.engine.onprem_driver import OnPremDriver
from tests.engine.pulumi_stack import REPOSITORY, Result
from tests.preview.code_host import CodeHost, code_host

CI = REPOSITORY / "examples" / "ci"
OURS = ("bluegreen ", "pulumi ")


def commands(name: str, job: str) -> list[str]:
    """What a job runs of `bluegreen` and `pulumi`; installing and git are the host's."""
    content = yaml.safe_load((CI / name).read_text())
    if "jobs" in content:
        lines = [step["run"] for step in content["jobs"][job]["steps"] if "run" in step]
    else:
        lines = content[job]["script"]
    return [line.strip() for line in lines if line.startswith(OURS)]


@pytest.fixture
def host() -> Iterator[CodeHost]:
    with code_host() as server:
        yield server


class Pipeline:
    """Runs command lines as a job's shell does."""

    def __init__(self, onprem: OnPremDriver, host: CodeHost) -> None:
        self.stack = onprem.stack
        scripts = self.stack.directory / "scripts"
        scripts.mkdir()
        (scripts / "bluegreen").write_text(
            f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec python -m bluegreen.cli "$@"\n'
        )
        (scripts / "bluegreen").chmod(0o755)
        self.environment = os.environ | self.stack.environment | {
            "GITHUB_API_URL": host.url,
            "GITHUB_REPOSITORY": "owner/shop",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_TOKEN": "token",
            "GITHUB_STEP_SUMMARY": str(self.stack.directory / "summary.md"),
            "CI_API_V4_URL": host.url,
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
            "GITLAB_TOKEN": "token",
        }  # fmt: skip
        self.environment["PATH"] = f"{scripts}:{self.environment['PATH']}"

    def run(self, lines: list[str]) -> Result:
        assert lines
        script = "set -e\n" + "\n".join(lines).replace("--stack prod", "--stack test")
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.stack.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        return Result(done.returncode, done.stdout, done.stderr, 0.0)


def test_every_command_of_the_workflows_does_what_they_say(onprem: OnPremDriver, host: CodeHost):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    assert onprem.up().ok
    pipeline = Pipeline(onprem, host)
    onprem.configure("active_color", "green")

    github = pipeline.run(commands("github-pull-request.yml", "preview"))
    gitlab = pipeline.run(commands("gitlab-ci.yml", "preview"))

    assert github.ok, github
    assert gitlab.ok, gitlab
    first, second = (comment["body"] for comment in host.comments.values())
    moves = "100 % of production traffic moves blue 1.0 → green 1.1"
    assert moves in first
    assert moves in second
    assert moves in Path(pipeline.environment["GITHUB_STEP_SUMMARY"]).read_text()
    assert moves in (onprem.stack.directory / "preview.html").read_text()
    assert onprem.ask("production") == {"blue 1.0": 20}

    switched = pipeline.run(commands("github-switch.yml", "switch"))

    assert switched.ok, switched
    assert onprem.ask("production") == {"green 1.1": 20}
    assert commands("gitlab-ci.yml", "switch") == commands("github-switch.yml", "switch")

    nightly = pipeline.run(commands("github-nightly.yml", "nightly"))

    assert nightly.ok, nightly
    assert commands("gitlab-ci.yml", "nightly") == commands("github-nightly.yml", "nightly")

    onprem.move_by_hand("blue")
    drifted = pipeline.run(commands("github-nightly.yml", "nightly"))

    assert not drifted.ok
