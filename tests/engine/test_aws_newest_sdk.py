"""The newest pulumi-aws 7: the components' own tests, and a service from its birth to its end.

The provider behind it is the one of version 6, which the SDK's inputs still fit.
"""

import subprocess
from pathlib import Path

import pytest

from bluegreen.traffic import TrafficSplit
from tests.engine.aws_driver import Region, aws_driver
from tests.engine.pulumi_stack import REPOSITORY
from tests.providers.aws.newest_sdk import NoSdkError, newest_sdk, virtual_environment

pytestmark = pytest.mark.soak

COMPONENTS = ["tests/components/test_aws.py", "tests/unit/aws"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        sdk = newest_sdk()
    except NoSdkError as error:
        pytest.skip(str(error))
    made = virtual_environment(sdk, tmp_path_factory.mktemp("sdk") / "venv")
    code = "from importlib.metadata import version; print(version('pulumi-aws'))"
    found = python(made, "-c", code)
    assert found.stdout.startswith("7."), found.stderr
    print(f"pulumi-aws {found.stdout.strip()}")
    return made


def python(environment: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin" / "python", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_the_components_pass_their_own_tests(environment: Path):
    done = python(environment, "-m", "pytest", "-q", "-p", "no:cacheprovider", *COMPONENTS)

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert " passed" in done.stdout


def test_a_service_is_made_switched_and_removed(environment: Path, region: Region):
    with aws_driver(region) as driver:
        driver.stack.use_python(environment)
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        driver.configure("green", {"release": "1.1", "replicas": 1})

        made = driver.up()
        assert made.ok, made
        assert driver.ask("production") == {"blue 1.0": 20}
        unchanged = driver.up()
        assert unchanged.done == []

        driver.configure("active_color", "green")
        switched = driver.up()
        assert switched.ok, switched
        assert switched.done == ["router", "flag"]
        assert driver.live() == TrafficSplit(blue=0, green=100)
        assert driver.ask("production") == {"green 1.1": 20}
        assert driver.stack.preview("--refresh").plan == []

        removed = driver.destroy()
        assert removed.ok, removed
        assert driver.target_groups() == {}
