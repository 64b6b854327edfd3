"""A real Prometheus on loopback, which scrapes application processes; ended by its process id."""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
SCRAPE_SECONDS = 0.5


class Prometheus:
    """Scrapes every half second; each target has its color as a label."""

    def __init__(self, url: str, process: "subprocess.Popen[bytes]", log: Path):
        self.url = url
        self.process = process
        self._log = log

    def values(self, query: str) -> list[tuple[dict[str, str], float]]:
        with urlopen(f"{self.url}/api/v1/query?query={quote(query)}", timeout=5) as answer:
            result = json.load(answer)["data"]["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]

    def wait_until(self, query: str, seconds: float = 20) -> None:
        """Until the query gives a value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self._log.read_text()[-2000:]
            with contextlib.suppress(OSError):
                if self.values(query):
                    return
            time.sleep(0.1)
        raise AssertionError(f"no value of {query} in {seconds} s: {self._log.read_text()[-2000:]}")


def program() -> str | None:
    return shutil.which("prometheus") or shutil.which("prometheus", path="/usr/bin:/usr/local/bin")


@contextlib.contextmanager
def running(folder: Path, targets: Mapping[str, int]) -> Iterator[Prometheus]:
    """Serves until the end of the block.

    Args:
        folder: Where its data goes.
        targets: Ports on loopback by color.
    """
    config = {
        "global": {"scrape_interval": f"{int(SCRAPE_SECONDS * 1000)}ms"},
        "scrape_configs": [
            {
                "job_name": "shop",
                "scrape_timeout": f"{int(SCRAPE_SECONDS * 1000)}ms",
                "static_configs": [
                    {"targets": [f"127.0.0.1:{port}"], "labels": {"color": color}}
                    for color, port in targets.items()
                ],
            }
        ],
    }
    # YAML holds all JSON.
    (folder / "prometheus.yml").write_text(json.dumps(config))
    address, log = f"127.0.0.1:{free_port()}", folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                program() or "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=output,
            stderr=output,
            cwd=folder,
        )
        try:
            server = Prometheus(f"http://{address}", process, log)
            server.wait_until("vector(1)")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
