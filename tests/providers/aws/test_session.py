"""One plugin for many commands, which ends with whom it belongs to."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.pulumi_stack import REPOSITORY
from tests.standins.aws import binary, session
from tests.standins.aws.session import AwsBridge, why_no_aws

OWNER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from tests.standins.aws.session import AwsBridge
with AwsBridge("http://127.0.0.1:9") as bridge:
    print(bridge.pid, flush=True)
    time.sleep(60)
"""

needs_aws = pytest.mark.skipif(why_no_aws() is not None, reason=str(why_no_aws()))


@pytest.fixture
def no_binary(monkeypatch):
    monkeypatch.setattr(session, "_official_plugin", lambda: False)
    binary.provider_binary.cache_clear()
    yield
    binary.provider_binary.cache_clear()


def test_where_the_named_binary_is_missing_the_reason_names_it(monkeypatch, no_binary):
    monkeypatch.setenv(binary.VARIABLE, "/nowhere/terraform-provider-aws")

    assert why_no_aws() == (
        "no Terraform provider for AWS: BLUEGREEN_TERRAFORM_AWS_PROVIDER is "
        "/nowhere/terraform-provider-aws, which is no file"
    )


def test_where_no_mirror_has_the_binary_the_reason_says_what_helps(monkeypatch, no_binary):
    monkeypatch.delenv(binary.VARIABLE, raising=False)
    monkeypatch.setattr(binary, "_mirrors", lambda: iter([Path("/nowhere")]))

    assert "BLUEGREEN_TERRAFORM_AWS_PROVIDER can name the binary" in str(why_no_aws())


def test_the_binary_is_found_in_a_mirror(monkeypatch, no_binary, tmp_path):
    monkeypatch.delenv(binary.VARIABLE, raising=False)
    place = tmp_path / "terraform" / "plugins" / binary.IN_MIRROR
    place.mkdir(parents=True)
    found = place / "terraform-provider-aws_v5.100.0_x5"
    found.touch(mode=0o755)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))

    assert binary.provider_binary() == found


@needs_aws
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_plugin_and_provider_end_with_the_process_that_started_them(number):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(REPOSITORY)], stdout=subprocess.PIPE, text=True
    )
    plugin = int(owner.stdout.readline())
    provider = first_child(plugin)

    owner.send_signal(number)
    owner.communicate()

    wait_until(lambda: not is_alive(plugin) and not is_alive(provider))


@needs_aws
def test_the_provider_ends_with_a_plugin_that_is_killed():
    with AwsBridge("http://127.0.0.1:9") as bridge:
        provider = first_child(bridge.pid)
        os.kill(bridge.pid, signal.SIGKILL)

        wait_until(lambda: not is_alive(provider))


def first_child(pid):
    found = Path(f"/proc/{pid}/task")

    def children():
        return [
            int(child)
            for task in found.iterdir()
            for child in (task / "children").read_text().split()
        ]

    wait_until(children)
    return children()[0]


def is_alive(pid):
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)
