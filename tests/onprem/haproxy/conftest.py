import shutil

import pytest

from bluegreen.colors import Color
from tests.onprem.haproxy.proxy import Members, a_proxy, eventually


@pytest.fixture(scope="session")
def haproxy():
    """The binary; everything that needs it is skipped where there is none."""
    binary = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        pytest.skip("there is no haproxy on this machine (Debian: apt-get install haproxy)")
    return binary


@pytest.fixture(scope="module")
def members():
    served = Members()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def shared(haproxy, members):
    """One running proxy per test file; each test routes as it needs."""
    with a_proxy(haproxy, members) as (proxy, fleets):
        proxy.start()
        eventually(lambda: all(proxy.ready(color) == 2 for color in Color), "all are ready")
        yield proxy, fleets


@pytest.fixture
def proxy(shared):
    return shared[0]


@pytest.fixture
def fleets(shared):
    return shared[1]
