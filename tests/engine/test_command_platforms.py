"""The verbs of the command on the platforms that are not this machine."""

from collections.abc import Iterator
from typing import Any

import pytest

from bluegreen.traffic import TrafficSplit
from tests.engine.aws_driver import AwsDriver, Region, aws_driver
from tests.engine.command import typed
from tests.engine.kwok_driver import kwok_driver
from tests.engine.stack_driver import StackDriver

BLUE = TrafficSplit(blue=100, green=0)
GREEN = TrafficSplit(blue=0, green=100)


@pytest.fixture(params=["kubernetes", pytest.param("aws", marks=pytest.mark.soak)])
def elsewhere(request: pytest.FixtureRequest) -> Iterator[StackDriver]:
    """Blue 1.0 is live, green 1.1 is deployed and idle."""
    if request.param == "aws":
        region: Region = request.getfixturevalue("region")
        made = aws_driver(region)
    else:
        made = kwok_driver(request.getfixturevalue("cluster"))
    with made as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 1})
        driver.configure("green", {"release": "1.1", "replicas": 1})
        driver.arrange()
        yield driver


def access_of(driver: Any) -> str:
    """What the doctor says of who the provider works as."""
    if isinstance(driver, AwsDriver):
        return "us-east-1, by AWS_ACCESS_KEY_ID"
    return f"by KUBECONFIG, {driver.cluster.kubeconfig}"


def trail_of(driver: Any) -> str:
    """Where the history says that events are which it does not read."""
    if isinstance(driver, AwsDriver):
        return "the log group /shop/deployments of CloudWatch Logs, stream traffic-switches"
    return (
        f"Events of shop in namespace {driver.names.namespace}, which the cluster keeps for an "
        "hour by default"
    )


def move_back(driver: Any) -> None:
    """What somebody moved by hand."""
    stack = driver.stack

    driver.move_by_hand("green")
    mended = typed(stack, "switch", "--to", "blue")

    assert mended.exit_code == 0, mended
    assert "100 % to green; the last update left it at blue" in mended.stderr
    assert driver.live() == BLUE
    assert typed(stack, "switch", "--to", "blue", "--json").json["was_needed"] is False


def look(driver: Any) -> None:
    """The verbs that change nothing; what an approval would lack is all that is refused."""
    stack = driver.stack
    driver.configure("service.gates", driver.service_settings()["gates"] | {"approve": True})

    status = typed(stack, "status", "--live", "--json")
    validated = typed(stack, "validate", "--json")
    doctor = typed(stack, "doctor", "--json")

    assert status.exit_code == 0, status
    report = status.json["report"]
    assert (report["active"], report["colors"]["blue"]["share"]) == ("blue", 100)
    assert report["colors"]["green"] | {"note": ""} == {
        "release": "1.1",
        "wanted_release": "1.1",
        "share": 0,
        "ready": 1,
        "desired": 1,
        "sessions": report["colors"]["green"]["sessions"],
        "is_retired": False,
        "note": "",
    }
    assert validated.exit_code == 1, validated
    verdicts = {each["gate"]: each for each in validated.json["verdicts"]}
    assert verdicts["capacity"]["passed"]
    assert verdicts["release"]["passed"]
    assert "nobody has approved anything" in verdicts["approval"]["reason"]
    assert doctor.exit_code == 0, doctor
    checks = {each["name"]: each for each in doctor.json["checks"]}
    assert {name: each["level"] for name, each in checks.items()} == dict.fromkeys(
        ("engine", "SDK", "project", "config", "packages", "plugin", "access", "state", "program"),
        "fine",
    ), doctor
    assert checks["access"]["found"] == access_of(driver)


def approve_and_preview(driver: Any) -> None:
    """As a pull request would show the switch."""
    approved = typed(driver.stack, "approve", "--release", "1.1", BLUEGREEN_BY="ann")
    driver.configure("active_color", "green")
    previewed = typed(driver.stack, "preview", "--format", "json")
    driver.configure("active_color", "blue")

    assert approved.exit_code == 0, approved
    assert previewed.exit_code == 0, previewed
    assert previewed.json["stacks"][0]["verdicts"] == ["switch"]


def switch_and_go_back(driver: Any) -> None:
    """What was approved."""
    stack = driver.stack

    switched = typed(stack, "switch")

    assert switched.exit_code == 0, switched
    assert driver.live() == GREEN
    assert "green 1.1 has production traffic" in switched.stdout

    back = typed(stack, "rollback", "--reason", "orders fail")

    assert back.exit_code == 0, back
    assert driver.live() == BLUE
    first, last = [each for each in driver.events() if each["kind"] == "switch"][-2:]
    (approval,) = [each for each in first["verdicts"] if each["gate"] == "approval"]
    assert approval["value"].startswith("ann at ")
    assert last["reason"] == "orders fail"


def look_back(driver: Any) -> None:
    """What the history makes of it, without the platform's own audit trail."""
    history = typed(driver.stack, "history", "--json")

    assert history.exit_code == 0, history
    assert [
        (each["ending"], each["to_color"], each["is_rollback"], each["reason"])
        for each in history.json["attempts"]
    ] == [
        ("done", "green", False, ""),
        ("done", "blue", True, "orders fail"),
    ]
    assert (history.json["sources"], history.json["elsewhere"]) == ([], trail_of(driver))


def deploy_and_retire(driver: Any) -> None:
    """The idle color's other ways."""
    stack = driver.stack

    deployed = typed(stack, "deploy", "--release", "1.2")

    assert deployed.exit_code == 0, deployed
    colors = typed(stack, "status", "--live", "--json").json["report"]["colors"]
    assert (colors["green"]["release"], colors["blue"]["release"]) == ("1.2", "1.0")

    retired = typed(stack, "retire")

    assert retired.exit_code == 0, retired
    assert (
        typed(stack, "status", "--live", "--json").json["report"]["colors"]["green"]["desired"] == 0
    )


def test_every_verb_works_there_as_it_does_here(elsewhere: Any):
    move_back(elsewhere)
    look(elsewhere)
    approve_and_preview(elsewhere)
    switch_and_go_back(elsewhere)
    look_back(elsewhere)
    deploy_and_retire(elsewhere)
