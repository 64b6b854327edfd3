"""What the pages say about files, settings and commands is so."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bluegreen.settings import ServiceConfig
from tests.docs.pages import (
    EXAMPLES,
    PAGES,
    README,
    REPOSITORY,
    Block,
    blocks,
    code_in_tables,
    targets,
    written_config,
)
from tests.unit.written import FakeSource

NOT_CODE = "text"
RUN_BY_A_TEST = {"sh", "python", "yaml"}

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY))
)


def load(written: dict[str, Any]) -> ServiceConfig:
    return ServiceConfig.load(FakeSource(written))  # type: ignore[no-untyped-call]


def heading_anchors(page: Path) -> set[str]:
    """How GitHub names the headings of a page."""
    headings = re.findall(r"^#+ +(.+?)\s*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def missing(page: Path, target: str) -> str | None:
    """What a relative link needs and is not there."""
    path, _, anchor = target.partition("#")
    place = (page.parent / path).resolve() if path else page
    if not place.exists():
        return target
    if anchor and place.suffix == ".md" and anchor not in heading_anchors(place):
        return target
    return None


@every_page
def test_every_relative_link_and_image_of_a_page_is_there(page: Path) -> None:
    relative = [target for target in targets(page) if not re.match(r"[a-z]+:", target)]

    assert [target for target in relative if missing(page, target)] == []


@every_page
def test_every_block_of_a_page_is_in_a_language_that_a_test_runs(page: Path) -> None:
    unknown = [
        f"{block} {block.language!r}"
        for block in blocks(page)
        if block.language not in {NOT_CODE, *RUN_BY_A_TEST}
    ]

    assert unknown == []


def test_only_readmes_have_programs_and_commands_to_run() -> None:
    elsewhere = [
        str(block)
        for page in PAGES
        if page not in (README, *EXAMPLES)
        for block in blocks(page)
        if block.language in {"sh", "python"}
    ]

    # test_readme.py runs those of the README, tests/examples those of the examples.
    assert elsewhere == []


@pytest.mark.parametrize(
    "block",
    [block for page in PAGES for block in blocks(page, "yaml") if block.is_config],
    ids=str,
)
def test_every_config_on_a_page_is_accepted(block: Block) -> None:
    rest = {"active_color": "blue", "blue": {"release": "1.0"}}

    load(rest | written_config(block))


def test_the_config_of_the_readme_is_complete() -> None:
    (block,) = blocks(README, "yaml")

    config = load(written_config(block))

    assert config.blue is not None
    assert config.green is not None


def test_the_page_about_settings_is_what_the_settings_say() -> None:
    done = subprocess.run(
        [sys.executable, "tools/configuration_docs.py", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_about_the_command_is_what_the_command_says() -> None:
    done = subprocess.run(
        [sys.executable, "tools/command_docs.py", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [code for code in code_in_tables(README) if re.match(".*config set .* pulumi up", code)],
)
def test_a_command_in_a_table_leaves_a_config_that_is_accepted(command: str) -> None:
    (block,) = blocks(README, "yaml")
    config = written_config(block)

    for path, value in re.findall(r"config set (?:--path )?(\S+) (\S+)", command):
        *parents, last = path.split(".")
        place = config
        for parent in parents:
            place = place.setdefault(parent, {})
        # The command line stores whole numbers as numbers, and everything else as text.
        place[last] = int(value) if value.isdigit() else value

    load(config)
