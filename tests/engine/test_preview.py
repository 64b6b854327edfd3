"""`bluegreen preview` on a real stack."""

import json
import os
import subprocess
import sys

from tests.engine.onprem_driver import OnPremDriver
from tests.engine.pulumi_stack import REPOSITORY


def bluegreen(onprem: OnPremDriver, *words: str, **environment: str):
    return subprocess.run(
        [sys.executable, "-m", "bluegreen.cli", "preview", "--stack", "test", *words],
        cwd=onprem.stack.directory,
        env=os.environ | onprem.stack.environment | {"PYTHONPATH": str(REPOSITORY)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_pull_request_that_switches_says_so_and_changes_nothing(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.arrange()
    onprem.configure("active_color", "green")
    before = onprem.stack.resources()

    shown = bluegreen(onprem, "--fail-on", "replaces the router")
    document = bluegreen(onprem, "--format", "json", "--fail-on", "switch")

    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[0] == (
        "shop/test: 100 % of production traffic moves blue 1.0 → green 1.1; "
        "2 resources updated in place; gates: 3 pass"
    )
    assert document.returncode == 1
    assert json.loads(document.stdout)["stacks"][0]["verdicts"] == ["switch"]
    assert onprem.stack.resources() == before
    assert onprem.ask("production") == {"blue 1.0": 20}


def test_a_preview_that_fails_says_why_and_one_without_a_stack_says_that(onprem: OnPremDriver):
    onprem.configure("blue", {"release": "1.0", "replicas": 0})

    broken = bluegreen(onprem)
    missing = bluegreen(onprem, "--stack", "nobody")

    assert broken.returncode == 1
    assert broken.stdout.splitlines()[0].startswith("shop/test: the preview FAILS")
    assert "Traceback" not in broken.stdout + broken.stderr
    assert missing.returncode == 2
    assert "there is no stack 'nobody'" in missing.stderr.replace("\n", " ")
