"""What stands around every page."""

from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files

__all__ = ["page", "style_beside"]

# Nothing is loaded, and nothing runs, whatever got into the text of a page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, sections: Iterable[str], *, style: str = "") -> str:
    """A page for phones and screens, light or dark as the reader has it.

    Args:
        title: Text of the browser's tab.
        sections: HTML, in order.
        style: CSS that only this page needs, after that of all pages.
    """
    body = "\n".join(f"<section>\n{section}\n</section>" for section in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<style>
{style_beside("bluegreen.page", "page.css")}{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


@cache
def style_beside(package: str, name: str) -> str:
    """The style sheet of that name which lies in a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")
