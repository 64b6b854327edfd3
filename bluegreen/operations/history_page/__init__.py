"""The history of a stack as a page for a browser. Pure."""

from bluegreen.operations.history_page.page import as_html

__all__ = ["as_html"]
