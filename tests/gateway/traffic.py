"""Requests to a gateway while a test changes something, and the change itself."""

import contextlib
import time
from collections.abc import Iterator

from bluegreen.colors import Color
from bluegreen.load import BackgroundLoad, LoadPlan, Recording, Switch
from tests.gateway.shop import Shop, active
from tests.standins.gateway.server import GatewayServer

RATE = 500
LONGEST_SECONDS = 120

# Of all gateways of these tests, only those of one namespace are asked for it.
HOST = "shop"


@contextlib.contextmanager
def load_on(gateway: GatewayServer, path: str = "/") -> Iterator[list[Recording]]:
    """500 requests a second, half of them on connections of their own; recorded at the end."""
    plan = LoadPlan(
        url=gateway.url.rstrip("/") + path,
        rate=RATE,
        seconds=LONGEST_SECONDS,
        connections=256,
        fresh_share=0.5,
        timeout_seconds=10,
        headers={"Host": HOST},
    )
    recordings: list[Recording] = []
    with BackgroundLoad(plan) as load:
        yield recordings
        recordings.append(load.stop())
    print(f"{len(recordings[0])} requests, failed: {recordings[0].failures()}")


def switch(shop: Shop, gateway: GatewayServer, color: Color) -> Switch:
    """All weight to a color; returned is when the proxy has it, which takes no reload."""
    started = time.monotonic()
    generation = shop.set_rules(active(color))
    applied = gateway.wait_applied(shop.namespace, "shop", generation)
    assert not applied["reloaded"]
    return Switch(color.other.value, color.value, started, applied["monotonic"])
