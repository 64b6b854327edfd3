"""What the README shows is done, word for word; only the ports are others."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.docs.pages import README, REPOSITORY, Block, blocks, code_in_tables, written_config
from tests.engine.onprem_driver import end_everything
from tests.engine.pulumi_stack import ENGINE, PulumiStack
from tests.ports import free_ports

APP = REPOSITORY / "examples" / "onprem" / "app" / "app.py"
SCRIPT_SECONDS = 300

# The ports on the page and in the stack's config, and the members' slots from the last two on.
PORTS = (18080, 18443, 18100, 18200)
SLOTS = 8

pytestmark = [
    pytest.mark.skipif(
        not (ENGINE / "pulumi").exists(), reason="no Pulumi engine; `make setup` makes one"
    ),
    pytest.mark.skipif(
        shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") is None,
        reason="haproxy is not installed",
    ),
]


def run(
    *command: str | Path, directory: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=directory,
        # Nobody is there to confirm.
        env=environment | {"PULUMI_SKIP_CONFIRMATIONS": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SCRIPT_SECONDS,
    )


def other_ports() -> dict[int, int]:
    first = free_ports(2 + 2 * SLOTS)[0]
    return dict(zip(PORTS, (first, first + 1, first + 2, first + 2 + SLOTS), strict=True))


@pytest.fixture
def directory() -> Iterator[Path]:
    """Short, because the names of sockets are limited; gone with all that was started from it."""
    place = Path(tempfile.mkdtemp(prefix="bg-"))
    try:
        yield place
    finally:
        end_everything(place)


@dataclass(frozen=True)
class Shop:
    """The program of the README as a project of its own."""

    stack: PulumiStack
    ports: dict[int, int]

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        """What a person types, in a shell."""
        done = run(
            *("sh", "-e", "-c", command),
            directory=self.stack.directory,
            environment=self.stack.environment,
        )
        assert done.returncode == 0, done.stdout
        return done

    def ask(self, port: int) -> str:
        return httpx.get(f"http://127.0.0.1:{self.ports[port]}/").text.strip()


@pytest.fixture
def shop(directory: Path) -> Shop:
    (program,) = blocks(README, "python")
    (config,) = blocks(README, "yaml")
    (directory / "__main__.py").write_text(program.text)
    shutil.copy(APP, directory)
    ports = other_ports()
    stack = PulumiStack(directory, main=directory)
    for key, value in written_config(config).items():
        stack.configure(key, value)
    stack.configure("service.port", ports[18080])
    stack.configure("service.onprem.test_port", ports[18443])
    stack.configure("service.onprem.member_ports", {"blue": ports[18100], "green": ports[18200]})
    return Shop(stack, ports)


def command_for(what: str) -> str:
    """The command that the README's table gives, by what it sets."""
    (command,) = [code for code in code_in_tables(README) if f"config set {what}" in code]
    return command


def test_the_program_runs_and_the_table_says_how_to_use_it(shop: Shop) -> None:
    deploy = command_for("--path green.release")
    switch, rollback = command_for("active_color green"), command_for("active_color blue")
    assert switch == "pulumi config set active_color green && pulumi up"

    shop.type("pulumi up")
    assert (shop.ask(18080), shop.ask(18443)) == ("blue 1.0", "green 1.1")

    shop.type(deploy)
    assert (shop.ask(18080), shop.ask(18443)) == ("blue 1.0", "green 1.2")

    shop.type(switch.partition(" && ")[0])
    # "The preview of a switch is two lines."
    assert shop.stack.preview().plan == ["shop-route", "shop-flag"]
    shop.type(switch)
    assert (shop.ask(18080), shop.ask(18443)) == ("green 1.2", "blue 1.0")
    assert shop.stack.outputs()["active_color"] == "green"

    shop.type(rollback)
    assert (shop.ask(18080), shop.ask(18443)) == ("blue 1.0", "green 1.2")

    destroyed = shop.stack.destroy()
    assert destroyed.ok, destroyed
    assert not (shop.stack.directory / ".bluegreen" / "run").exists()


def with_ports(text: str, ports: dict[int, int]) -> str:
    for written, other in ports.items():
        text = text.replace(str(written), str(other))
    return text


def a_checkout(place: Path, ports: dict[int, int]) -> None:
    """A copy of the project with the engine of this checkout, as setting up makes it."""
    ignored = shutil.ignore_patterns("__pycache__", "Pulumi.*.yaml")
    for name in ("stacks", "examples", "tools"):
        shutil.copytree(REPOSITORY / name, place / name, ignore=ignored)
    shutil.copy(REPOSITORY / "Pulumi.yaml", place)
    config = (REPOSITORY / "stacks" / "Pulumi.local.yaml").read_text()
    assert [port for port in ports if str(port) not in config] == []
    (place / "stacks" / "Pulumi.local.yaml").write_text(with_ports(config, ports))
    done = run(
        *(sys.executable, "tools/engine/install.py", "--into", ".bluegreen"),
        *("--python", sys.executable),
        directory=place,
        environment=dict(os.environ),
    )
    assert done.returncode == 0, done.stdout


BY_HAND = [block for block in blocks(README, "sh") if not block.is_make_only]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("block", BY_HAND, ids=str)
def test_the_commands_to_type_by_hand_work(block: Block, directory: Path) -> None:
    ports = other_ports()
    checkout, home = directory / "checkout", directory / "home"
    checkout.mkdir()
    home.mkdir()
    a_checkout(checkout, ports)

    # A new shell: nothing of this process's environment but where programs are.
    done = run(
        *("sh", "-e", "-c", with_ports(block.text, ports)),
        directory=checkout,
        environment={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"},
    )

    assert done.returncode == 0, done.stdout
    # Test endpoint before the switch, production after it.
    assert done.stdout.splitlines().count("green 1.1") == 2
    assert not (checkout / ".bluegreen" / "run").exists()
    assert list(home.iterdir()) == []
