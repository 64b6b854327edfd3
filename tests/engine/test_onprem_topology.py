"""Changes of a service's shape while it is under load: none of them may lose a request."""

import time

import pytest

from bluegreen.onprem.supervisord import Supervisord
from tests.engine.onprem_driver import APP, OnPremDriver
from tests.engine.onprem_load import traffic_on

ABRUPT = f"python3 {APP} --port {{port}} --grace 0"
"""Ends at SIGTERM with all it is working on: what is not drained before is lost."""

SHRINK = {"BLUEGREEN_ALLOW_LIVE_CHANGE": "blue:fewer are enough"}


@pytest.fixture
def abrupt(onprem: OnPremDriver) -> OnPremDriver:
    """Blue 1.0 is live with three members that drop what they hold when they are ended."""
    onprem.configure("service.onprem.command", ABRUPT)
    onprem.configure("blue.replicas", 3)
    result = onprem.up()
    assert result.ok, result
    return onprem


def test_members_that_end_without_a_drain_lose_requests(abrupt: OnPremDriver):
    """The control of this file: the same change, done the careless way."""
    with traffic_on(abrupt) as traffic:
        Supervisord(abrupt.run_directory.path).take("blue-2", "blue-1")
        time.sleep(1)

    assert traffic.failed > 0


def test_fewer_members_of_the_live_color_lose_no_request(abrupt: OnPremDriver):
    abrupt.configure("blue.replicas", 1)
    with traffic_on(abrupt) as traffic:
        result = abrupt.up(**SHRINK)

    assert result.ok, result
    assert result.done == ["blue fleet"]
    assert traffic.failed == 0
    assert traffic.report.answers == {"blue": traffic.report.requests}
