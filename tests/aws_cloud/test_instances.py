"""Instances that really run: what starts them, what ends them, and what is left."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from bluegreen.aws.members import readiness_of
from tests.aws_cloud.shop import Shop, wait
from tests.load.servers import ROOT

BUSY_SECONDS = 0.8


def the_only(shop: Shop, group: str) -> str:
    (name,) = shop.instances(group)
    return name


def is_gone(shop: Shop, instance: str) -> bool:
    found = shop.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]
    return bool(found["Instances"][0]["State"]["Name"] == "terminated")


def pids_of(instance: str) -> list[int]:
    """Everybody who has this instance's environment, whatever their parents are."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"BLUEGREEN_TEST_INSTANCE={instance}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_user_data_runs_with_nothing_of_the_tests_in_its_environment(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_TESTS", "not for instances")
    shop.run_alone("env")

    wait(lambda: "BLUEGREEN_TEST_HOST" in shop.output_of_the_only())
    printed = dict(line.split("=", 1) for line in shop.output_of_the_only().splitlines())

    assert printed["BLUEGREEN_TEST_HOST"].startswith("127.")
    assert "SECRET_OF_THE_TESTS" not in printed
    assert "PYTHONPATH" not in printed


def test_instances_have_addresses_of_their_own(shop: Shop) -> None:
    shop.add_fleet("blue", 2)
    shop.wait_states("blue", "healthy", "healthy")

    hosts = {shop.cloud.address_of(name) for name in shop.instances("blue")}

    assert len(hosts) == 2


def test_a_request_in_flight_is_answered_before_its_instance_is_ended(shop: Shop) -> None:
    shop.add_fleet("blue", 1)
    shop.wait_states("blue", "healthy")
    instance = the_only(shop, "blue")
    answers: list[int] = []

    def ask() -> None:
        with urllib.request.urlopen(shop.url(f"/slow?ms={int(BUSY_SECONDS * 1000)}")) as answer:
            answers.append(answer.status)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(BUSY_SECONDS / 4)
    shop.scaling.set_desired_capacity(AutoScalingGroupName="blue", DesiredCapacity=0)

    assert shop.instances("blue") == {instance: "Terminating"}
    assert shop.states("blue") == ["draining"]
    asking.join(10)
    assert answers == [200]
    wait(lambda: is_gone(shop, instance))
    assert not pids_of(instance)
    assert not shop.instances("blue")


def test_what_is_still_asked_when_the_drain_is_over_is_cut_off(shop: Shop) -> None:
    shop.set_drain(shop.groups["blue"], 1)
    shop.add_fleet("blue", 1)
    shop.wait_states("blue", "healthy")
    answers: list[object] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(shop.url("/slow?ms=3000")) as answer:
                answers.append(answer.status)
        except OSError as error:
            answers.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    shop.scaling.set_desired_capacity(AutoScalingGroupName="blue", DesiredCapacity=0)
    asking.join(10)

    assert [type(each) for each in answers] != [int]


def test_who_does_not_listen_to_sigterm_is_killed(shop: Shop) -> None:
    shop.run_alone("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    wait(lambda: "ready" in shop.output_of_the_only())
    instance = shop.alone

    shop.ec2.terminate_instances(InstanceIds=[instance])

    assert not is_gone(shop, instance)
    wait(lambda: is_gone(shop, instance), seconds=5)
    assert not pids_of(instance)


def test_a_stopped_instance_runs_again_at_its_address(shop: Shop) -> None:
    shop.run_alone("echo started; exec sleep 60")
    wait(lambda: "started" in shop.output_of_the_only())
    host = shop.cloud.address_of(shop.alone)

    shop.ec2.stop_instances(InstanceIds=[shop.alone])
    wait(lambda: not pids_of(shop.alone))
    time.sleep(0.1)
    shop.ec2.start_instances(InstanceIds=[shop.alone])

    wait(lambda: shop.output_of_the_only().count("started") == 2)
    assert shop.cloud.address_of(shop.alone) == host


def test_an_instance_that_is_not_well_is_replaced_where_the_group_asks_the_load_balancer(
    shop: Shop,
) -> None:
    shop.add_fleet("blue", 1, health="ELB", grace_seconds=40)
    shop.wait_states("blue", "healthy")
    first = the_only(shop, "blue")
    time.sleep(2.2)

    shop.cloud.signal(first, signal.SIGKILL)

    wait(lambda: first not in shop.instances("blue") and len(shop.instances("blue")) == 1)
    wait(lambda: shop.states("blue") == ["healthy"])


def test_an_instance_is_not_judged_within_the_grace_period(shop: Shop) -> None:
    shop.add_fleet("blue", 1, health="ELB", grace_seconds=300, options="--mode never-ready")
    shop.wait_states("blue", "unhealthy")
    time.sleep(0.3)

    assert list(shop.instances("blue").values()) == ["InService"]


@pytest.mark.parametrize(
    ("preferences", "fewest", "most"),
    [
        ({"MinHealthyPercentage": 50}, 1, 2),
        ({"MinHealthyPercentage": 100}, 1, 2),
        ({"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}, 2, 3),
        ({"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200}, 2, 4),
    ],
)
def test_a_refresh_replaces_every_instance_and_keeps_as_many_serving_as_it_must(
    shop: Shop, preferences: dict[str, int], fewest: int, most: int
) -> None:
    shop.add_fleet("blue", 2, health="ELB", grace_seconds=300)
    shop.wait_states("blue", "healthy", "healthy")
    before = set(shop.instances("blue"))
    data = shop.template_data("blue", release="2")
    shop.ec2.create_launch_template_version(LaunchTemplateName="blue", LaunchTemplateData=data)

    shop.scaling.start_instance_refresh(AutoScalingGroupName="blue", Preferences=preferences)
    serving, staying = [], []

    def is_done() -> bool:
        serving.append(shop.states("blue").count("healthy"))
        states = list(shop.instances("blue").values())
        staying.append(len(states) - states.count("Terminating"))
        found = shop.scaling.describe_instance_refreshes(AutoScalingGroupName="blue")
        return bool(found["InstanceRefreshes"][0]["Status"] == "Successful")

    wait(is_done)
    assert min(serving) == fewest
    assert max(staying) == most
    wait(lambda: before.isdisjoint(shop.instances("blue")))
    assert len(shop.instances("blue")) == 2
    with urllib.request.urlopen(shop.url("/version")) as answer:
        assert b'"version": "2"' in answer.read()


def test_a_group_says_why_it_cannot_start_an_instance_and_what_becomes_of_the_others(
    shop: Shop,
) -> None:
    image = shop.ec2.copy_image(
        Name="shop", SourceImageId=shop.cloud.image(), SourceRegion=shop.cloud.region
    )["ImageId"]
    shop.image = image
    shop.add_fleet("blue", 1)
    shop.wait_states("blue", "healthy")
    shop.ec2.deregister_image(ImageId=image)

    shop.scaling.set_desired_capacity(AutoScalingGroupName="blue", DesiredCapacity=3)

    found = shop.scaling.describe_scaling_activities(AutoScalingGroupName="blue", MaxRecords=1)
    (latest,) = found["Activities"]
    assert latest["StatusCode"] == "Failed"
    assert latest["StatusMessage"] == (
        f"The image id '[{image}]' does not exist. Launching EC2 instance failed."
    )
    # As the gates put it.
    (group,) = shop.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    targets = shop.elb.describe_target_health(TargetGroupArn=shop.groups["blue"])
    readiness = readiness_of(group, targets["TargetHealthDescriptions"], found["Activities"])
    assert f"could not be started: {latest['StatusMessage']}" in readiness.note

    shop.scaling.set_desired_capacity(AutoScalingGroupName="blue", DesiredCapacity=0)
    wait(lambda: not shop.instances("blue"))
    found = shop.scaling.describe_scaling_activities(AutoScalingGroupName="blue")
    ended = found["Activities"][0]
    assert (ended["StatusCode"], ended["Description"].split(":")[0]) == (
        "Successful",
        "Terminating EC2 instance",
    )


def test_a_reset_ends_every_instance(shop: Shop) -> None:
    shop.add_fleet("blue", 2)
    shop.wait_states("blue", "healthy", "healthy")
    names = list(shop.instances("blue"))

    shop.cloud.reset()

    wait(lambda: not any(pids_of(name) for name in names), seconds=2)
    assert shop.scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


KILLED = """
import time
from tests.aws_cloud.shop import wait
from tests.standins.aws_cloud.cloud import Cloud

script = "echo up; setsid sleep 300 & sleep 300 & exec sleep 300"
with Cloud() as cloud:
    made = cloud.client("ec2").run_instances(
        ImageId=cloud.image(), MinCount=1, MaxCount=1, UserData=script
    )
    name = made["Instances"][0]["InstanceId"]
    wait(lambda: (cloud.folder / name / "output").is_file() and "up" in cloud.output_of(name))
    print(name, cloud.folder, flush=True)
    time.sleep(300)
"""


def test_nothing_survives_a_test_process_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", KILLED], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        name, folder = process.stdout.readline().split()
        wait(lambda: len(pids_of(name)) == 3, lambda: pids_of(name))
        assert commands_with(folder)

        process.kill()

    wait(lambda: not pids_of(name) and not commands_with(folder), lambda: commands_with(folder))
    shutil.rmtree(folder)


def commands_with(word: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in text and str(os.getpid()) != path.parent.name:
            found.append(text)
    return found
