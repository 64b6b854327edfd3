"""What `pulumi up` says to mistakes in what is AWS' own, each typed in full.

A service works in the account already. The mistakes are another stack's, which has nothing yet:
what is refused must leave nothing behind, neither in its state nor in the account.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.aws_driver import AwsDriver, Region, aws_driver
from tests.engine.aws_mistakes import CHEAP, REST, Mistake
from tests.engine.pulumi_stack import PulumiStack, Result

FOUND_ON_PATH = "warning: using pulumi-resource-aws from $PATH"
OF_THE_ENGINE = (
    "error: an unhandled error occurred: program exited with non-zero exit code: 1",
    "error: an unhandled error occurred: Program exited with non-zero exit code: 1",
    "error: preview failed",
    "error: update failed",
)


class Account:
    """What somebody else made, by the names that the mistakes know it by."""

    def __init__(self, driver: AwsDriver) -> None:
        cloud = driver.cloud
        self.cloud, self.driver = cloud, driver
        self.vpc, self.group = cloud.vpc(), cloud.security_group()
        self.subnet, *_ = cloud.subnets()
        self.certificate = cloud.certificate()
        balancer = driver.balancer
        self.lost_balancer = f"{balancer[:-6]}000000"
        self.foreign_balancer = balancer.replace("us-east-1", "eu-west-1")
        self.lost_certificate = f"{self.certificate[:-6]}000000"
        self.foreign_certificate = self.certificate.replace("us-east-1", "eu-west-1")
        ec2 = cloud.client("ec2")
        self.other_vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        self.other_subnet = self._subnet(self.other_vpc, "10.9.0.0/24", "us-east-1a")
        self.unserved_subnet = self._subnet(self.vpc, "10.0.9.0/24", "us-east-1c")
        self.other_group = ec2.create_security_group(
            GroupName="other", Description="of somebody else", VpcId=self.other_vpc
        )["GroupId"]
        cloud.client("logs").create_log_group(logGroupName="/till/deployments")
        answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        self.shared_listener = driver.elb.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTP", Port=9000, DefaultActions=[answer]
        )["Listeners"][0]["ListenerArn"]
        self.lost_listener = f"{self.shared_listener[:-6]}000000"
        condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/other"]}}
        driver.elb.create_rule(
            ListenerArn=self.shared_listener, Priority=7, Conditions=[condition], Actions=[answer]
        )

    @property
    def pending_certificate(self) -> str:
        """A new one each time: after a minute it is issued."""
        found = self.cloud.client("acm").request_certificate(DomainName="cart.example")
        return str(found["CertificateArn"])

    def _subnet(self, vpc: str, cidr: str, zone: str) -> str:
        found = self.cloud.client("ec2").create_subnet(
            VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone
        )
        return str(found["Subnet"]["SubnetId"])


class Beginner:
    """A stack that has a config, and has never been brought up."""

    def __init__(self, directory: Path, account: Account) -> None:
        driver = account.driver
        self.account = account
        self.stack = PulumiStack(directory, main=driver.main, name="first")
        self.stack.environment |= driver.bridge.environment
        service = driver.service_settings() | {"name": "cart", "port": 81}
        service["aws"] = driver.aws_settings() | {"test_port": 8444}
        self.stack.configure("active_color", "blue")
        self.stack.configure("blue", {"release": "1.0", "replicas": 1})
        self.stack.configure("green", {"release": "1.1", "replicas": 1})
        self.stack.configure("service", service)
        self._config = self.stack.config_file.read_text()

    @property
    def state(self) -> list[tuple[str, bytes]]:
        """All files of all stacks."""
        folder = self.stack.state / ".pulumi" / "stacks"
        return [(str(each), each.read_bytes()) for each in folder.rglob("*") if each.is_file()]

    def write(self, mistake: Mistake) -> str:
        """Writes it down; gives what is to be said."""
        self.stack.config_file.write_text(self._config)
        places = _Places(self.account)
        for name, value in mistake.config.items():
            self.stack.configure(name, places.filled(value))
        for name, value in mistake.others.items():
            namespace, _, rest = name.partition(":")
            self.stack.configure_in(namespace, rest, value)
        if mistake.secret:
            done = self.stack.run("config", "set", "--secret", "--path", *mistake.secret)
            assert done.ok, done
        return str(places.filled(mistake.says))


class _Places:
    """Fills in what is in the account; the same each time."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._known: dict[str, str] = {}

    def filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if not isinstance(value, str):
            return value
        for name in NAMES:
            if f"<{name}>" in value:
                found = self._known.setdefault(name, getattr(self._account, name))
                value = value.replace(f"<{name}>", found)
        return value


NAMES = (
    *("vpc", "subnet", "group", "certificate", "shared_listener"),
    *("other_vpc", "other_subnet", "other_group", "unserved_subnet"),
    *("lost_balancer", "lost_listener", "lost_certificate"),
    *("foreign_balancer", "foreign_certificate", "pending_certificate"),
)


@pytest.fixture(scope="module")
def account(region: Region) -> Iterator[Account]:
    with aws_driver(region) as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        driver.configure("green", {"release": "1.1", "replicas": 1})
        driver.arrange()
        yield Account(driver)


@pytest.fixture(scope="module")
def beginner(account: Account) -> Iterator[Beginner]:
    directory = Path(tempfile.mkdtemp(prefix="bg-"))
    try:
        yield Beginner(directory, account)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def said_by(result: Result) -> list[str]:
    """All that is told below the resources' names, but what the engine says whatever happens."""
    _, _, rest = result.stdout.partition("Diagnostics:\n")
    told = re.split(r"\n\n(?=Outputs:|Resources:)", rest)[0]
    lines = [line.strip() for line in told.splitlines() if line.startswith("    ")]
    return [
        line.removeprefix("error: ")
        for line in lines
        if line not in OF_THE_ENGINE and not line.startswith(FOUND_ON_PATH)
    ]


@pytest.mark.parametrize(
    "mistake",
    [*CHEAP, *(pytest.param(each, marks=pytest.mark.soak) for each in REST)],
    ids=lambda mistake: mistake.name.replace(" ", "-"),
)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing(beginner: Beginner, mistake: Mistake):
    says = beginner.write(mistake)
    state, calls = beginner.state, len(beginner.account.cloud.calls)

    result = beginner.stack.up()

    lines = said_by(result)
    assert len(lines) == 1, result
    (line,) = lines
    assert line.split(" failed: ")[-1] == says
    assert "nothing was changed" in line
    assert result.exit_code in {1, 255}
    assert result.stderr == ""
    assert result.done == []
    assert beginner.state == state
    written = [each for each in beginner.account.cloud.calls[calls:] if not each.is_read]
    assert written == []
    assert "Traceback" not in result.text
    assert "hunter2" not in result.text
