from collections.abc import Iterator

import pytest

from tests.aws_cloud.plain_moto import PlainMoto
from tests.aws_cloud.shop import Shop
from tests.standins.aws_cloud.cloud import Cloud
from tests.standins.haproxy_process import haproxy_binary


@pytest.fixture(scope="session")
def running_cloud() -> Iterator[Cloud]:
    if haproxy_binary() is None:
        pytest.skip("there is no haproxy on this machine (Debian: apt-get install haproxy)")
    with Cloud(pace=0.05, stop_seconds=1.0) as cloud:
        yield cloud


@pytest.fixture
def cloud(running_cloud: Cloud) -> Cloud:
    """Empty: nobody has used it."""
    running_cloud.reset()
    return running_cloud


@pytest.fixture
def shop(cloud: Cloud) -> Shop:
    """Both colors' target groups behind one listener; no instances."""
    return Shop(cloud)


@pytest.fixture(scope="session")
def running_moto() -> Iterator[PlainMoto]:
    with PlainMoto() as moto:
        yield moto


@pytest.fixture
def plain_shop(running_moto: PlainMoto) -> Shop:
    """The same shop at moto as it is: nothing runs there."""
    running_moto.reset()
    return Shop(running_moto)
