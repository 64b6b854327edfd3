"""What clients notice of switches by `pulumi up`: 1,000 requests a second through the balancer."""

import time

import pytest

from bluegreen.load import BackgroundLoad, LoadPlan, Switch, summarize
from tests.aws_cloud.shop import wait
from tests.engine.aws_driver import AwsDriver

pytestmark = pytest.mark.alone
RATE, SWITCHES = 1000, 12
OTHER = {"blue": "green", "green": "blue"}


@pytest.fixture
def both(aws: AwsDriver) -> AwsDriver:
    """Blue 1.0 is live with two members, green 1.1 idle with as many."""
    aws.configure("blue.replicas", 2)
    aws.configure("green", {"release": "1.1", "replicas": 2})
    result = aws.up()
    assert result.ok, result
    return aws


def load_on(driver: AwsDriver, seconds: float = 240) -> BackgroundLoad:
    return BackgroundLoad(
        LoadPlan(
            url=f"{driver.url('production')}/version",
            rate=RATE,
            seconds=seconds,
            connections=128,
            fresh_share=0.2,
        )
    )


def test_twelve_switches_lose_no_request_and_leave_none_behind(both: AwsDriver):
    switches, active = [], "blue"
    with load_on(both) as load:
        for _ in range(SWITCHES):
            before, active = active, OTHER[active]
            both.configure("active_color", active)
            started = time.monotonic()
            result = both.up()
            switches.append(Switch(before, active, started, time.monotonic()))
            assert result.ok, result
        recording = load.stop()

    report = summarize(recording, switches)
    print(report.to_json(), [round(each.returned - each.started, 1) for each in switches])
    assert report.failed == 0, report
    assert report.stale == 0, report
    assert set(report.answers) == {"blue", "green"}
    assert report.requests > 20_000


def test_members_that_are_ended_without_a_drain_do_lose_requests(both: AwsDriver):
    """The control: the same load, and the write that moves traffic after the old color's end."""
    with load_on(both, seconds=30) as load:
        time.sleep(1)
        group = both.group("blue")
        both.cloud.client("ec2").terminate_instances(
            InstanceIds=[each["InstanceId"] for each in group["Instances"]]
        )
        wait(lambda: "blue 1.0" not in both.ask("production", 5))
        both.move_by_hand("green")
        recording = load.stop()

    report = summarize(recording)
    print(report.to_json())
    assert report.failed > 0, report
