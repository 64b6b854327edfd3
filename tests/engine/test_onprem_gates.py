"""The gates of the required validation on the real engine, where a gate can be anything."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bluegreen.colors import Color
from bluegreen.settings.approval import approve
from bluegreen.traffic import TrafficSplit
from tests.engine.apps.orders import PASSWORD, TOKEN
from tests.engine.onprem_driver import OnPremDriver

APP = Path(__file__).parent / "apps" / "orders.py"
GREEN = TrafficSplit.all_to(Color.GREEN)
BLUE = TrafficSplit.all_to(Color.BLUE)

SUITE = {
    "secret_env": {"password": "SMOKE_PASSWORD"},
    "steps": [
        {
            "name": "login",
            "method": "POST",
            "path": "/login",
            "json_body": {"user": "smoke", "password": "{password}"},
            "take": {"token": "access_token"},
        },
        {"name": "closed", "path": "/profile", "status": 401},
        {
            "name": "profile",
            "path": "/profile",
            "headers": {"Authorization": "Bearer {token}"},
            "json_equals": {"name": "smoke"},
        },
        {
            "name": "order",
            "method": "POST",
            "path": "/orders",
            "headers": {"Authorization": "Bearer {token}"},
            "json_body": {"sku": "a"},
            "status": 201,
            "json_fields": ["orderId"],
        },
    ],
}


@pytest.fixture
def shop(onprem: OnPremDriver) -> OnPremDriver:
    """Blue 1.0 is live; what green 1.1 will do is up to the test."""
    onprem.configure("service.onprem.command", f"python3 {APP} {{port}}")
    onprem.arrange()
    return onprem


def verdicts_of(shop: OnPremDriver) -> dict[str, dict]:
    return {verdict["gate"]: verdict for verdict in shop.events()[-1]["verdicts"]}


def everything_kept(shop: OnPremDriver) -> str:
    """What the engine, the proxy and the audit trail have on the disk."""
    files = [*shop.stack.directory.rglob("*")]
    return "".join(path.read_text(errors="replace") for path in files if path.is_file())


def test_a_suite_lets_a_release_in_that_takes_orders_and_no_other_one(shop: OnPremDriver):
    shop.configure("service.gates.suite", {"smoke": SUITE})
    shop.configure("service.gates.warm_up", {"caches": {"paths": ["/"], "requests": 20}})
    shop.configure("green", {"release": "1.1", "replicas": 1, "env": {"ORDERS": "broken"}})
    shop.configure("active_color", "green")

    without_password = shop.preview()
    refused = shop.up(SMOKE_PASSWORD=PASSWORD)

    assert "smoke cannot run: no variable SMOKE_PASSWORD; set it where" in without_password.text
    assert not refused.ok
    assert "smoke: step 4 of 4, order: POST /orders: orderId is null" in refused.text
    assert "login: POST /login gave 200" in refused.text
    assert shop.live() == BLUE
    assert verdicts_of(shop)["smoke"]["value"] == "3 of 4 steps"
    assert verdicts_of(shop)["caches"]["value"] == "20 good answers"

    # A release that was refused may change: it has no traffic.
    shop.configure("green", {"release": "1.2", "replicas": 1})
    passed = shop.up(SMOKE_PASSWORD=PASSWORD)

    assert passed.ok, passed
    assert shop.live() == GREEN
    smoke = verdicts_of(shop)["smoke"]
    assert (smoke["result"], smoke["value"], smoke["limit"]) == (
        "passed",
        "4 of 4 steps",
        "4 of 4 steps",
    )
    # Neither what was typed nor what was kept has a credential in it.
    kept = everything_kept(shop) + refused.text + passed.text + json.dumps(shop.outputs())
    assert PASSWORD not in kept
    assert TOKEN not in kept


@pytest.mark.soak
def test_a_dry_run_reports_and_the_flags_are_in_the_event(shop: OnPremDriver):
    shop.configure(
        "service.gates.dependencies",
        {
            "stores": {
                "json_equals": {"database.status": "healthy", "queue.status": "healthy"},
                "timeout_seconds": 2,
                "dry_run": True,
            }
        },
    )
    shop.configure("service.gates.feature_flags", {"flags": {}})
    shop.configure(
        "green",
        {"release": "1.1", "replicas": 1, "env": {"FLAGS": '{"new_checkout": true}'}},
    )
    assert shop.up().ok
    shop.configure("active_color", "green")

    preview = shop.preview()
    result = shop.up()

    assert "stores: would refuse: GET /health/dependencies: the answer has no" in preview.text
    assert result.ok, result
    assert "green: stores: would refuse: GET /health/dependencies" in result.text
    assert shop.live() == GREEN
    stores, flags = verdicts_of(shop)["stores"], verdicts_of(shop)["flags"]
    assert (stores["result"], stores["value"]) == ("would refuse", 'database.status "healthy"')
    assert json.loads(flags["value"]) == {"new_checkout": True}
    assert flags["reason"] == "the flags of green and blue differ: new_checkout false → true"


def test_without_an_approval_nothing_moves_and_a_rollback_needs_none(shop: OnPremDriver):
    shop.configure("service.gates.approve", value=True)
    shop.configure("green", {"release": "1.1", "replicas": 1})
    shop.configure("active_color", "green")

    refused = shop.up()

    assert not refused.ok
    assert "`bluegreen approve --color green --release 1.1`" in refused.text
    assert shop.live() == BLUE

    given = approve("shop", Color.GREEN, "1.1", by="ann@host", now=datetime.now(UTC))
    shop.configure("approval", given.model_dump(mode="json"))
    approved = shop.up()

    assert approved.ok, approved
    assert shop.live() == GREEN
    assert verdicts_of(shop)["approval"]["value"] == f"ann@host at {given.at}"

    shop.configure("active_color", "blue")
    back = shop.up(BLUEGREEN_ROLLBACK="blue:figures")

    assert back.ok, back
    assert shop.live() == BLUE
    assert verdicts_of(shop)["approval"]["result"] == "not asked"
