"""What clients notice of switches by `pulumi up`: 1,000 requests a second through the balancer."""

import time
from collections.abc import Callable

import pytest

from bluegreen.load import BackgroundLoad, LoadPlan, Recording, Switch, summarize
from tests.aws_cloud.shop import wait
from tests.engine.aws_driver import AwsDriver
from tests.load.servers import APP

pytestmark = pytest.mark.alone
RATE, SWITCHES = 1000, 12
# Requests that take their time, and members that end at once when they are told: what is under way
# with them is lost.
SLOW_RATE, SLOW_MS = 200, 300
ABRUPT = f'exec python {APP} --host "$BLUEGREEN_TEST_HOST" --port "$PORT" --grace 0\n'
ROUNDS = 3
OTHER = {"blue": "green", "green": "blue"}


@pytest.fixture
def both(aws: AwsDriver) -> AwsDriver:
    """Blue 1.0 is live with two members, green 1.1 idle with as many."""
    aws.configure("blue.replicas", 2)
    aws.configure("green", {"release": "1.1", "replicas": 2})
    aws.arrange()
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


def retired_by_an_update(driver: AwsDriver) -> None:
    """One `pulumi up` that moves traffic, and then gives up the old color."""
    driver.configure("active_color", "green")
    driver.configure("retired", {"color": "blue", "release": "1.0"})
    result = driver.up()
    assert result.ok, result
    assert driver.group("blue")["DesiredCapacity"] == 0


def ended_right_after_the_write(driver: AwsDriver) -> None:
    """The same two writes without the guard between them: the listener's, then the members' end."""
    instances = [each["InstanceId"] for each in driver.group("blue")["Instances"]]
    driver.move_by_hand("green")
    driver.cloud.client("ec2").terminate_instances(InstanceIds=instances)


def under_slow_requests(driver: AwsDriver, end_blue: Callable[[AwsDriver], None]) -> Recording:
    """What became of requests that blue had begun when traffic moved."""
    plan = LoadPlan(
        url=f"{driver.url('production')}/slow?ms={SLOW_MS}",
        rate=SLOW_RATE,
        seconds=120,
        connections=256,
        fresh_share=0.2,
    )
    with BackgroundLoad(plan) as load:
        time.sleep(1)
        end_blue(driver)
        wait(lambda: set(driver.ask("production", 5)) == {"green 1.1"})
        time.sleep(1)
        recording = load.stop()
    assert set(recording.by_color()) >= {"blue", "green"}
    return recording


@pytest.fixture
def abrupt(aws: AwsDriver) -> AwsDriver:
    """Two members of each color, which end without finishing anything."""
    aws.configure("service.aws.user_data", ABRUPT)
    aws.configure("blue.replicas", 2)
    aws.configure("green", {"release": "1.1", "replicas": 2})
    result = aws.up()
    assert result.ok, result
    return aws


def test_a_color_that_is_retired_in_the_update_that_switches_loses_nothing(abrupt: AwsDriver):
    requests = 0
    for _ in range(ROUNDS):
        recording = under_slow_requests(abrupt, retired_by_an_update)
        print(f"retired: {recording.failed()} of {len(recording)} failed")
        assert recording.failed() == 0, recording.failures()
        requests += len(recording)
        abrupt.configure("retired", None)
        abrupt.configure("active_color", "blue")
        result = abrupt.up()
        assert result.ok, result

    assert requests > ROUNDS * SLOW_RATE


def test_a_color_that_is_ended_right_after_the_write_loses_what_it_had_begun(abrupt: AwsDriver):
    """The control of the test above."""
    recording = under_slow_requests(abrupt, ended_right_after_the_write)

    print(f"ended right after the write: {recording.failed()} of {len(recording)} failed")
    assert recording.failed() > 0
