"""Draws docs/images/*.svg: what `bluegreen` shows in a terminal, from real runs on this machine.

. .bluegreen/env && python -m tools.screenshots    takes about a minute
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import yaml
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tools.terminal import screen_after

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 110, 60
STACK = "production"


def main() -> int:
    """Deploys two releases and takes the pictures."""
    with project() as folder:
        quietly(folder, "pulumi", "stack", "init", STACK, "--copy-config-from", "local")
        quietly(folder, "pulumi", "up", "--yes", "--stack", STACK)
        quietly(folder, "bluegreen", "deploy", "--release", "1.1", "--stack", STACK)
        pictured(folder, "bluegreen status --live", "status")
        bake = "--bake 10 --bake-path /version"
        pictured(folder, f'bluegreen switch {bake} --reason "release 1.1"', "switch")
        pictured(folder, 'bluegreen rollback --reason "orders are slow"', "rollback")
        quietly(folder, "pulumi", "destroy", "--yes", "--stack", STACK)
    return 0


@contextmanager
def project() -> Iterator[Path]:
    """The embedded platform's project in a folder of its own, with a state that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="bg-") as name:
        folder = Path(name, "shop")
        folder.mkdir()
        for each in ("stacks", "examples/onprem"):
            shutil.copytree(ROOT / each, folder / each)
        shutil.copy(ROOT / "Pulumi.yaml", folder)
        (folder / "state").mkdir()
        os.environ |= {
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_STACK": STACK,
        }
        quietly(folder, "pulumi", "stack", "init", "local")
        settings = folder / "stacks" / "Pulumi.local.yaml"
        content = yaml.safe_load(settings.read_text(encoding="utf-8"))
        content["config"]["bluegreen:service"]["onprem"]["run_directory"] = str(folder / "run")
        settings.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        yield folder


def quietly(folder: Path, *words: str) -> None:
    """Runs what nobody needs to see."""
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def pictured(folder: Path, line: str, name: str) -> None:
    """Runs a command in a terminal and draws what is on it when the command has ended."""
    screen = screen_after(
        ["sh", "-c", line], folder=folder, environment=os.environ, columns=WIDTH, lines=HEIGHT
    )
    console = Console(width=WIDTH, record=True, file=io.StringIO())
    console.print(Text(f"$ {line}", style="bold"))
    for row in rows_of(screen):
        console.print(row)
    drawn = console.export_svg(title="bluegreen")
    # Fonts of the reader's own: nothing is fetched by whoever looks at it.
    (IMAGES / f"{name}.svg").write_text(re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL))


def rows_of(screen: pyte.Screen) -> list[Text]:
    """Its lines with their colors, without the empty ones at the end."""
    rows = []
    for number in range(screen.lines):
        row = Text()
        for column in range(screen.columns):
            cell = screen.buffer[number][column]
            color = None if cell.fg == "default" else cell.fg.replace("brown", "yellow")
            row.append(cell.data, Style(color=color, bold=cell.bold))
        row.rstrip()
        rows.append(row)
    while rows and not rows[-1].plain:
        rows.pop()
    return rows


if __name__ == "__main__":
    sys.exit(main())
