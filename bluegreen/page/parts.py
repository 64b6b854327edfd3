"""The parts that more than one page shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from bluegreen.colors import Color

__all__ = ["Share", "bar", "chips", "folded", "table"]


@dataclass(frozen=True, slots=True)
class Share:
    """What one color has of a bar."""

    color: Color
    text: str
    percent: int


def bar(shares: Iterable[Share]) -> str:
    """Who gets how much of production traffic, as long as it is wide."""
    return f'<div class="bar">{"".join(map(_part, shares))}</div>'


def _part(share: Share) -> str:
    text = escape(share.text)
    width = f"width: {share.percent}%"
    return f'<div class="{share.color}" style="{width}" title="{text}">{text}</div>'


def chips(texts: Iterable[str]) -> str:
    """A few words, each in a frame of its own."""
    return f'<p class="chips">{"".join(f"<span>{escape(each)}</span>" for each in texts)}</p>'


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Text in rows, moved sideways where it is wider than the page; colors stand out."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    lines = "".join(f"<tr>{''.join(map(_cell, cells))}</tr>" for cells in rows)
    return f'<div class="scroll"><table><tr>{head}</tr>{lines}</table></div>'


def _cell(text: str) -> str:
    style = f' class="{text}"' if text in set(Color) else ""
    return f"<td{style}>{escape(text)}</td>"


def folded(title: str, lines: Iterable[str]) -> str:
    """A list of texts under its title, closed until somebody opens it."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<details><summary>{escape(title)}</summary><ul>{items}</ul></details>"
