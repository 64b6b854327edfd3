"""The live tests are off, and say what they would need; and they run, where AWS is stood in for."""

import os
import subprocess
import sys

import pytest

from tests.engine.aws_driver import PRODUCTION, TEST, Region
from tests.engine.pulumi_stack import REPOSITORY, STAND_INS
from tests.live.place import NEEDED, ON, PREFIX, why_not

NAMED = {PREFIX + name: "named" for name in NEEDED}


def test_nothing_is_done_in_aws_unless_somebody_says_so():
    assert f"{ON}=1 runs it" in (why_not({}) or "")
    assert why_not({ON: "yes", **NAMED}) is not None


def test_what_is_missing_is_named_with_what_it_is():
    given = {ON: "1", **NAMED, "AWS_REGION": "eu-west-1"}
    assert why_not(given) is None

    without_vpc = {key: value for key, value in given.items() if key != f"{PREFIX}VPC_ID"}

    assert why_not(without_vpc) == f"{ON} is set, but not {PREFIX}VPC_ID (its VPC)"
    assert "AWS_REGION" in (why_not({ON: "1", **NAMED}) or "")


@pytest.mark.soak
def test_the_suite_itself_works_where_aws_is_stood_in_for(region: Region):
    cloud = region.cloud
    cloud.reset()
    named = {
        "LOAD_BALANCER_ARN": cloud.load_balancer(),
        "SECURITY_GROUP_ID": cloud.security_group(),
        "VPC_ID": cloud.vpc(),
        "SUBNET_IDS": ",".join(cloud.subnets()),
        "IMAGE_ID": cloud.image(),
        "CIDR": "127.0.0.1/32",
        "PRODUCTION_URL": f"http://127.0.0.1:{cloud.port_for(PRODUCTION)}",
        "TEST_URL": f"http://127.0.0.1:{cloud.port_for(TEST)}",
    }
    environment = {
        **os.environ,
        **cloud.environment,
        **region.bridge.environment,
        "PATH": f"{os.environ['PATH']}:{STAND_INS}",
        ON: "1",
        **{PREFIX + name: value for name, value in named.items()},
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "tests/live/test_aws.py"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    cloud.reset()

    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "live: removed: yes" in done.stdout
    assert "live: a refresh without a change would change: nothing" in done.stdout
