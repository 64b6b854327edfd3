from collections.abc import Callable, Iterator

import pytest

from tests.load.servers import AppProcess


@pytest.fixture
def start_app() -> Iterator[Callable[..., AppProcess]]:
    """Starts application processes and ends those that are left after the test."""
    started: list[AppProcess] = []

    def start(*options: str, **environment: str) -> AppProcess:
        started.append(AppProcess(*options, **environment))
        return started[-1].wait_until_listening()

    yield start
    for app in started:
        app.end()
