"""The pages of this project, read as Markdown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"
EXAMPLES = sorted((REPOSITORY / "examples").glob("*/README.md"))
PAGES = sorted(
    {README, REPOSITORY / "CHANGELOG.md", *(REPOSITORY / "docs").rglob("*.md"), *EXAMPLES}
)


@dataclass(frozen=True)
class Block:
    """One fenced block of code."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.strip()]

    @property
    def is_make_only(self) -> bool:
        return all(line.split()[0] == "make" for line in self.lines)

    @property
    def is_config(self) -> bool:
        """Whether it is a stack's config; other YAML is objects of Kubernetes."""
        return "config:" in self.lines

    def __str__(self) -> str:
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """The code of a page, in one language or in all."""
    found = [
        Block(page, token.map[0] + 1 if token.map else 0, token.info.strip(), token.content)
        for token in _tokens(page)
        if token.type in ("fence", "code_block")
    ]
    return [block for block in found if language in (None, block.language)]


def targets(page: Path) -> list[str]:
    """Where the links and the images of a page point to."""
    return [
        str(token.attrs[attribute])
        for token in _flat(_tokens(page))
        for attribute in ("href", "src")
        if attribute in token.attrs
    ]


def code_in_tables(page: Path) -> Iterator[str]:
    """What stands in backticks in the tables of a page."""
    inside = False
    for token in _tokens(page):
        if token.type in ("table_open", "table_close"):
            inside = token.type == "table_open"
        for child in token.children or ():
            if inside and child.type == "code_inline":
                yield child.content


def written_config(block: Block, project: str = "shop") -> dict[str, Any]:
    """The stack config in a YAML block, by key."""
    config: Mapping[str, Any] = yaml.safe_load(block.text)["config"]
    return {key.removeprefix(f"{project}:"): value for key, value in config.items()}


def _tokens(page: Path) -> list[Token]:
    parser = MarkdownIt("commonmark").enable("table")
    return parser.parse(page.read_text(encoding="utf-8"))


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])
