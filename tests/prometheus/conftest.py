import contextlib
import subprocess

import pytest

from tests.load.servers import AppProcess
from tests.prometheus.server import ROOT, program, running
from tests.unit.gates.metrics_pages import Member, in_turn
from tests.unit.gates.web import served


@pytest.fixture(scope="session")
def installed():
    """Installs the Debian package where there is no Prometheus, as `make setup` does HAProxy."""
    if program() is None:
        done = subprocess.run(
            [ROOT / "tools" / "install_packages.sh", "prometheus"], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"no Prometheus: {done.stderr.strip()}")


@pytest.fixture(scope="module")
def apps():
    """Application processes by color: blue is live, green is as fast, and there is a slow one."""
    with contextlib.ExitStack() as stack:

        def start(color, *options):
            app = AppProcess(*options, BLUEGREEN_COLOR=color)
            stack.callback(app.end)
            return app.wait_until_listening()

        yield {
            "blue": start("blue"),
            "green": start("green"),
            "slow": start("green", "--mode", "slow"),
            "broken": start("green", "--mode", "broken"),
        }


@pytest.fixture(scope="module")
def rare():
    """A member whose counters a test moves, scraped like the others."""
    member = Member()
    with served(in_turn(member)) as web:
        yield member, int(web.url.rpartition(":")[2])


@pytest.fixture(scope="module")
def prometheus(installed, apps, rare, tmp_path_factory):
    targets = {**{name: app.port for name, app in apps.items()}, "rare": rare[1]}
    with running(tmp_path_factory.mktemp("prometheus"), targets) as server:
        for name in targets:
            server.wait_until(f'up{{color="{name}"}} == 1')
        yield server
