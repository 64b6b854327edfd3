"""Gates that measure, on the real engine: what members say of themselves stops a switch."""

import re

import pytest

from bluegreen.colors import Color
from bluegreen.traffic import TrafficSplit
from tests.engine.onprem_driver import onprem_driver

BLUE = TrafficSplit.all_to(Color.BLUE)
SENT = {"rate": 100, "path": "/"}
OF_USERS = {"window_seconds": 2, "requests": SENT, "labels": {"path": "/"}}


@pytest.fixture(scope="module")
def shop():
    with onprem_driver() as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 2})
        driver.configure(
            "service.gates",
            {
                "timeout_seconds": 30,
                "latency": {**OF_USERS, "limit_seconds": 0.2, "min_samples": 100},
                "errors": {**OF_USERS, "compare": {"min_samples": 100}},
            },
        )
        driver.arrange()
        yield driver


def deploy_and_switch(shop, release, **environment):
    shop.configure("green", {"release": release, "replicas": 2, "env": environment})
    shop.configure("active_color", "green")
    return shop.up()


def test_a_slow_release_is_refused_by_its_latency_and_says_so_in_the_audit_trail(shop):
    result = deploy_and_switch(shop, "1.1", APP_MODE="slow")

    assert not result.ok
    assert shop.live() == BLUE
    assert "1 of 4 gates refused; production traffic has not moved" in result.text
    assert "latency: p99 of green is 0.24" in result.text
    assert "requests, not at most 0.2 s" in result.text
    (refusal,) = [each for each in shop.events() if each["kind"] == "refusal"]
    verdicts = {each["gate"]: each for each in refusal["verdicts"]}
    assert (verdicts["latency"]["result"], verdicts["errors"]["result"]) == ("refused", "passed")
    assert verdicts["latency"]["limit"] == "p99 <= 0.2 s"
    assert verdicts["latency"]["value"].endswith(" requests")
    assert verdicts["latency"]["duration_seconds"] >= 2


def test_an_erring_release_is_refused_beside_the_live_one_and_a_good_one_passes(shop):
    erring = deploy_and_switch(shop, "1.2", APP_MODE="broken")

    assert not erring.ok
    assert shop.live() == BLUE
    assert re.search(r"errors: 100 % \(\d+ of \d+\) of the answers of green are 5xx", erring.text)

    shop.configure("active_color", "blue")
    shop.configure("green", {"release": "1.3", "replicas": 2})
    assert shop.up().ok
    shop.configure("active_color", "green")
    preview = shop.preview()
    good = shop.up()

    assert "asked in the update only: latency, errors" in preview.text
    assert good.ok, good.text
    assert shop.ask("production", 4) == {"green 1.3": 4}
    assert re.search(r"of blue 0 % \(0 of \d+\): ratio 1, p = 1 \(Fisher's exact test\)", good.text)
