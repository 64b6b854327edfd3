"""What the library's hooks ask the API server in one switch, as a table."""

from collections import Counter
from collections.abc import Mapping

from rich.table import Table

from benchmarks.kubernetes.stack import Request
from benchmarks.table import table_of

__all__ = ["request_table"]


def request_table(requests: Mapping[Request, int]) -> Table:
    """One row for each hook and request, those of the preview beside those of the update."""
    table = table_of("asked by", "request", "preview", "update")
    rows: dict[tuple[str, str], Counter[str]] = {}
    for (phase, hook, request), count in requests.items():
        rows.setdefault((hook, request), Counter())[phase] += count
    for (hook, request), counts in rows.items():
        table.add_row(hook, request, str(counts["preview"]), str(counts["update"]))
    total = Counter(phase for (phase, *_), count in requests.items() for _ in range(count))
    table.add_row("all", "", str(total["preview"]), str(total["update"]))
    return table
