"""The verbs of the command on the platforms that are not this machine."""

from collections.abc import Iterator
from typing import Any

import pytest

from bluegreen.traffic import TrafficSplit
from tests.engine.aws_driver import Region, aws_driver
from tests.engine.command import typed
from tests.engine.kwok_driver import kwok_driver
from tests.engine.stack_driver import StackDriver

BLUE = TrafficSplit(blue=100, green=0)
GREEN = TrafficSplit(blue=0, green=100)


@pytest.fixture(params=["kubernetes", "aws"])
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
        result = driver.up()
        assert result.ok, result
        yield driver


def test_every_verb_works_there_as_it_does_here(elsewhere: Any):
    stack = elsewhere.stack

    status = typed(stack, "status", "--live", "--json")

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

    validated = typed(stack, "validate", "--json")

    assert validated.exit_code == 0, validated
    assert {"capacity", "release"} <= {each["gate"] for each in validated.json["verdicts"]}

    elsewhere.move_by_hand("green")
    mended = typed(stack, "switch", "--to", "blue")

    assert mended.exit_code == 0, mended
    assert "100 % to green; the last update left it at blue" in mended.stderr
    assert elsewhere.live() == BLUE
    assert typed(stack, "switch", "--to", "blue", "--json").json["was_needed"] is False

    switched = typed(stack, "switch")

    assert switched.exit_code == 0, switched
    assert elsewhere.live() == GREEN
    assert "green 1.1 has production traffic" in switched.stdout

    back = typed(stack, "rollback", "--reason", "orders fail")

    assert back.exit_code == 0, back
    assert elsewhere.live() == BLUE
    assert [each["reason"] for each in elsewhere.events() if each["kind"] == "switch"][-1] == (
        "orders fail"
    )

    deployed = typed(stack, "deploy", "--release", "1.2")

    assert deployed.exit_code == 0, deployed
    colors = typed(stack, "status", "--live", "--json").json["report"]["colors"]
    assert (colors["green"]["release"], colors["blue"]["release"]) == ("1.2", "1.0")

    retired = typed(stack, "retire")

    assert retired.exit_code == 0, retired
    assert (
        typed(stack, "status", "--live", "--json").json["report"]["colors"]["green"]["desired"] == 0
    )
