"""What the README of the example for AWS says works, word for word, in an account of this machine.

Of its config only what an account has otherwise is replaced: ids and addresses, and what an
instance runs. `tests/standins/aws_cloud` says what about that account is not AWS.
"""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from bluegreen.aws.weights import forward_weights
from bluegreen.colors import Color
from tests.docs.pages import REPOSITORY
from tests.engine.aws_driver import AwsDriver, Region, aws_driver
from tests.engine.pulumi_stack import ENGINE, PulumiStack
from tests.examples.project import ExampleProject
from tests.load.servers import APP

pytestmark = pytest.mark.skipif(
    not (ENGINE / "pulumi").exists() and shutil.which("pulumi") is None,
    reason="no Pulumi engine; `make setup` makes one",
)

PRODUCTION, TEST = 443, 8443
ASKED = 20


def of_the_account(account: AwsDriver, project: str) -> dict[str, Any]:
    """What this account has otherwise than one of AWS."""
    aws = f"{project}:service.aws"
    cloud = account.cloud
    ports = {name: cloud.port_for(port) for name, port in (("p", PRODUCTION), ("t", TEST))}
    return {
        "aws:region": cloud.region,
        f"{aws}.load_balancer_arn": account.balancer,
        f"{aws}.load_balancer_security_group_id": cloud.security_group(),
        f"{aws}.vpc_id": cloud.vpc(),
        f"{aws}.subnet_ids": cloud.subnets(),
        f"{aws}.certificate_arn": cloud.certificate(),
        f"{aws}.production_url": f"http://127.0.0.1:{ports['p']}",
        f"{aws}.test_url": f"http://127.0.0.1:{ports['t']}",
        f"{aws}.image_id": cloud.image(),
        f"{aws}.health_check_grace_seconds": 200,
        f"{aws}.user_data": f'exec python {APP} --host "$BLUEGREEN_TEST_HOST" --port "$PORT"\n',
    }


def example(account: AwsDriver, region: Region, directory: Path) -> ExampleProject:
    project = ExampleProject("aws-asg", directory)
    project.environment |= region.bridge.environment
    project.override(of_the_account(account, "shop"))
    return project


def answers(account: AwsDriver, port: int) -> Counter[str]:
    url = f"http://127.0.0.1:{account.cloud.port_for(port)}/version"
    found = [httpx.get(url, trust_env=False) for _ in range(ASKED)]
    return Counter(
        f"{each.json()['color']} {each.json()['version']}" if each.is_success else "none"
        for each in found
    )


def live(account: AwsDriver) -> dict[Color, int]:
    """The weights of the listener on the usual port."""
    found = account.elb.describe_listeners(LoadBalancerArn=account.balancer)["Listeners"]
    (listener,) = [each for each in found if each["Port"] == PRODUCTION]
    weights = forward_weights(listener["DefaultActions"]) or {}
    return {color: weights[arn] for color, arn in account.target_groups().items()}


def test_the_first_commands_of_the_readme_preview_a_service(region: Region, directory: Path):
    with aws_driver(region) as account:
        project = example(account, region, directory)
        first, *_ = project.commands()
        init, up, _ = first.lines
        assert (init, up) == ("pulumi stack init dev", "pulumi up")

        project.type(init)
        printed = project.type("pulumi preview")

    for name in ("shop-blue-members", "shop-route", "shop-flag", "shop-test-listener"):
        assert name in printed
    assert "shop-green-members" not in printed


@pytest.mark.soak
def test_the_example_does_what_its_readme_says(region: Region, directory: Path):
    with aws_driver(region) as account:
        project = example(account, region, directory)
        first, second, switch, rollback, destroy = project.commands()

        def follow(block: Any) -> str:
            return "".join(project.type(line) for line in block.lines if project.can_type(line))

        follow(first)
        assert live(account) == {Color.BLUE: 100, Color.GREEN: 0}
        assert answers(account, TEST) == {"none": ASKED}

        follow(second)
        assert answers(account, PRODUCTION) == {"blue 1.0": ASKED}
        assert answers(account, TEST) == {"green 1.1": ASKED}

        printed = follow(switch)
        assert live(account) == {Color.BLUE: 0, Color.GREEN: 100}
        assert answers(account, PRODUCTION) == {"green 1.1": ASKED}
        assert answers(account, TEST) == {"blue 1.0": ASKED}
        preview = printed.split("Resources:")[0]
        changed = [line for line in preview.splitlines() if line.startswith(" ~ ")]
        assert len(changed) == 3, preview
        parameter = account.cloud.client("ssm").get_parameter(Name="/shop/active-color")
        assert parameter["Parameter"]["Value"] == "green"
        assert account.events()[-1]["kind"] == "switch"

        follow(rollback)
        assert live(account) == {Color.BLUE: 100, Color.GREEN: 0}
        assert answers(account, PRODUCTION) == {"blue 1.0": ASKED}

        follow(destroy)
        assert account.target_groups() == {}
        assert account.scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_the_stack_for_aws_is_previewed_as_it_is_but_for_its_ids(region: Region, directory: Path):
    with aws_driver(region) as account:
        stack = PulumiStack(directory, main=REPOSITORY / "stacks", name="aws", project="bluegreen")
        stack.environment |= region.bridge.environment
        file = REPOSITORY / "stacks" / "Pulumi.aws.yaml"
        for key, value in yaml.safe_load(file.read_text())["config"].items():
            stack.configure_in(*key.split(":"), value)
        for key, value in of_the_account(account, "bluegreen").items():
            stack.configure_in(*key.split(":"), value)

        result = stack.preview()

    assert result.ok, result
    assert {step.op for step in result.planned} == {"create"}
    members = {f"shop-{color}-members" for color in ("blue", "green")}
    assert {*members, "shop-route", "shop-flag", "shop-test"} <= set(result.plan)
