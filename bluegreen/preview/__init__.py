"""What a change means for production traffic, from what `pulumi preview --json` says.

Knows no Pulumi and no platform: it reads JSON, the contract of the library's programs, and raw
resources as far as they say who gets traffic.
"""

from bluegreen.preview.as_json import as_json
from bluegreen.preview.document import Document, UnreadableDocumentError, is_event, read_document
from bluegreen.preview.html import as_html
from bluegreen.preview.markdown import LIMIT, as_markdown, marker
from bluegreen.preview.report import StackReport, failed_report, report_on
from bluegreen.preview.text import as_text
from bluegreen.preview.verdict import VerdictClass

__all__ = [
    "LIMIT",
    "Document",
    "StackReport",
    "UnreadableDocumentError",
    "VerdictClass",
    "as_html",
    "as_json",
    "as_markdown",
    "as_text",
    "failed_report",
    "is_event",
    "marker",
    "read_document",
    "report_on",
]
