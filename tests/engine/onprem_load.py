"""A load on production while a test changes, kills or damages something."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from bluegreen.load import BackgroundLoad, LoadPlan, LoadReport, Recording, summarize
from tests.engine.onprem_driver import OnPremDriver

RATE = 200
LONGEST_SECONDS = 240


@dataclass
class Traffic:
    """What happened to the requests; known once the load has ended."""

    recording: Recording | None = None

    @property
    def report(self) -> LoadReport:
        assert self.recording is not None
        return summarize(self.recording)

    @property
    def failed(self) -> int:
        return self.report.failed

    @property
    def outage_seconds(self) -> float:
        """From the first to the last moment at which a request was sent that failed."""
        assert self.recording is not None
        failed = [each.intended for each in self.recording if each.outcome != "ok"]
        return max(failed) - min(failed) if failed else 0.0

    def __str__(self) -> str:
        report = self.report
        return (
            f"{report.requests} requests, {report.failed} failed {dict(report.failures)} "
            f"over {self.outage_seconds:.2f} s, answers {dict(report.answers)}"
        )


@contextlib.contextmanager
def traffic_on(
    driver: OnPremDriver | int, path: str = "/slow?ms=60", *, fresh_share: float = 0.3
) -> Iterator[Traffic]:
    """200 requests a second: slow ones, on kept connections and on fresh ones.

    Args:
        driver: Whose production gets them; or its port.
        path: What is asked for.
        fresh_share: Share of the requests on a connection of their own.
    """
    port = driver if isinstance(driver, int) else driver.port
    plan = LoadPlan(
        url=f"http://127.0.0.1:{port}{path}",
        rate=RATE,
        seconds=LONGEST_SECONDS,
        connections=128,
        fresh_share=fresh_share,
        timeout_seconds=10,
    )
    traffic = Traffic()
    with BackgroundLoad(plan) as load:
        yield traffic
        traffic.recording = load.stop()
    print(traffic)
