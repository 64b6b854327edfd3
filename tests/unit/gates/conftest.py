import contextlib

# Loaded here: the first request of a test would else take that out of a gate's own time.
import httpx  # noqa: F401
import pytest

from bluegreen.colors import Color
from bluegreen.gates.gate import Endpoint, Readiness, Subject
from tests.ports import nobody_listens
from tests.unit.gates.web import served


@pytest.fixture
def a_subject():
    def build(url="http://127.0.0.1:9", headers=None, **changes):
        defaults = {
            "color": Color.GREEN,
            "release": "1.1",
            "replicas": 2,
            "endpoint": Endpoint(url, headers or {}),
            "readiness": lambda color: Readiness(ready=2, desired=2),
            "live_color": Color.BLUE,
        }
        return Subject(**{**defaults, **changes})

    return build


@pytest.fixture
def serve():
    with contextlib.ExitStack() as stack:
        yield lambda behave: stack.enter_context(served(behave))


@pytest.fixture
def silent_url():
    """An address that nobody answers at."""
    with nobody_listens() as port:
        yield f"http://127.0.0.1:{port}"
