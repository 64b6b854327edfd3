"""Small programs of raw AWS resources: real engine, real provider logic, over moto."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from textwrap import dedent
from typing import Any

import boto3
import pytest

from tests.aws_cloud.plain_moto import PlainMoto
from tests.engine.pulumi_stack import ENGINE, PulumiStack
from tests.standins.aws.aws import Aws
from tests.standins.aws.binary import why_missing
from tests.standins.aws.connections import Connections
from tests.standins.aws.session import AwsBridge, why_no_aws

REGION = "us-east-1"

# What every program starts with.
PRELUDE = """\
import json
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
vpc_id = config.get("vpc")
load_balancer_arn = config.get("load_balancer")


def target_group(label, /, opts=None, **rest):
    given = {"port": 8080, "protocol": "HTTP", "vpc_id": vpc_id, **rest}
    return aws.lb.TargetGroup(label, **given, opts=opts)


def forward(weights):
    groups = [{"arn": group.arn, "weight": weight} for group, weight in weights]
    return [{"type": "forward", "forward": {"target_groups": groups}}]


def listener(label, /, actions, port=None, opts=None, **rest):
    given = {"port": port or config.require_int("port"), "protocol": "HTTP", **rest}
    return aws.lb.Listener(
        label, load_balancer_arn=load_balancer_arn, default_actions=actions, **given, opts=opts
    )
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    has_engine = (ENGINE / "pulumi").exists() or shutil.which("pulumi") is not None
    missing = why_no_aws() or ("" if has_engine else "no Pulumi engine; `make setup` makes one")
    for item in items:
        if "tests/providers/aws" not in str(item.path):
            continue
        if missing and "program" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=missing))
        if item.get_closest_marker("alone") is None:
            item.add_marker(pytest.mark.beside)


class Program(PulumiStack):
    """A stack whose program is a text."""

    def write(self, source: str) -> None:
        """Replaces the program."""
        text = PRELUDE + dedent(source)
        (self.directory / "program" / "__main__.py").write_text(text)

    def put(self) -> None:
        """An update that is no question here; without its preview, which takes as long again."""
        result = self.run("up", "--yes", "--skip-preview")
        assert result.ok, result

    def resource(self, name: str) -> Any:
        """What the state says about one resource; None if nothing."""
        found = [entry for entry in self.resources() if entry["urn"].endswith(f"::{name}")]
        return found[0] if found else None


class World:
    """What somebody else made in AWS before any program ran, and sees there."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        ec2 = self.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ab")
        ]
        made = self.client("elbv2").create_load_balancer(Name="shared", Subnets=self.subnets)
        self.load_balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
        self._ports = iter(range(1000, 9000))

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def port(self) -> int:
        """One that no listener of the load balancer has."""
        return next(self._ports)


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    # In a process of its own: another test's cloud changes what moto does in this one.
    with PlainMoto() as moto:
        yield World(moto.endpoint)


@pytest.fixture(scope="session")
def bridge(world: World) -> Iterator[AwsBridge]:
    with AwsBridge(world.endpoint, REGION) as started:
        yield started


@pytest.fixture(scope="session")
def aws(world: World) -> Iterator[Aws]:
    """The provider without engine and plugin."""
    if reason := why_missing():
        pytest.skip(reason)
    with closing(Connections()) as connections:
        # No longer than that: tests of other folders share this process.
        with pytest.MonkeyPatch.context() as environment:
            for variable, value in AwsBridge(world.endpoint, REGION).environment.items():
                environment.setenv(variable, value)
            configured = connections.configured({})
        yield configured


@pytest.fixture
def program(bridge: AwsBridge, world: World) -> Iterator[Callable[..., Program]]:
    """Makes stacks from the text of a program."""
    with ExitStack() as folders:

        def make(source: str) -> Program:
            directory = tempfile.TemporaryDirectory(prefix="bg-", ignore_cleanup_errors=True)
            path = Path(folders.enter_context(directory))
            (path / "program").mkdir()
            stack = Program(path, main=path / "program")
            stack.environment |= bridge.environment
            stack.configure("vpc", world.vpc)
            stack.configure("load_balancer", world.load_balancer)
            stack.configure("port", world.port())
            stack.write(source)
            return stack

        yield make
