import asyncio

import pytest

from bluegreen.errors import DataPlaneError
from bluegreen.gate_hooks.truth import Truth
from tests.unit.fake_update import BLUE, GREEN, FakeDataPlane, an_update, live

UNKNOWN = DataPlaneError("the proxy does not answer")


def said(data_plane):
    async def tell():
        return await Truth(data_plane, an_update(data_plane).plan).tell()

    return asyncio.run(tell())


@pytest.mark.parametrize(
    ("data_plane", "text"),
    [
        (FakeDataPlane(route=live(GREEN)), "production traffic goes to 100 % green 1.1"),
        (
            FakeDataPlane(route=live(BLUE, 10)),
            "production traffic goes to 90 % blue 1.0, 10 % green 1.1",
        ),
        (
            FakeDataPlane(route=live(BLUE), releases={}),
            "production traffic goes to 100 % blue without members",
        ),
        (FakeDataPlane(route=None), "nobody has production traffic yet"),
        (
            FakeDataPlane(route=UNKNOWN),
            "who has production traffic cannot be told: the proxy does not answer",
        ),
    ],
    ids=["all", "canary", "no members", "nobody", "unknown"],
)
def test_who_has_the_traffic_is_said(data_plane, text):
    assert said(data_plane) == text
