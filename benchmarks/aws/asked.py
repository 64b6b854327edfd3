"""Who asked the API what in one switch, by the account's own log of calls, and as a table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from benchmarks.stack import Done
from benchmarks.table import table_of
from tests.standins.aws_cloud.calls import Call

__all__ = ["PROVIDER", "Request", "request_table", "requests_of"]

Request = tuple[str, str, str]
"""In the preview or in the update, who asked, and what: the permission."""

PROVIDER = "the provider"
_PROGRAM = "the program"
_OURS = "bluegreen"
_READS = ("Describe", "Get", "List")


def requests_of(
    calls: Iterable[Call], done: Done, notes: Sequence[Mapping[str, Any]]
) -> Counter[Request]:
    """The calls of one command.

    A hook's are told by the library's name in them, and by when it was at work: the hooks of one
    service take turns in a switch. The update begins when its program does.

    Args:
        calls: The account's log.
        done: The command.
        notes: What `benchmarks/aws/ours` wrote; of a plain program, whose phases nobody tells
            apart, there are none.
    """
    began = [each["began"] for each in notes if "began" in each and not each["is_preview"]]
    update_began = min(began, default=done.started)
    at_work = [each for each in notes if "ended" in each]
    return Counter(
        (
            "preview" if call.at < update_began else "update",
            _asked_by(call, at_work),
            call.permission,
        )
        for call in calls
        if done.started <= call.at <= done.returned
    )


def _asked_by(call: Call, at_work: Iterable[Mapping[str, Any]]) -> str:
    if _OURS not in call.user_agent:
        return PROVIDER
    found = (each["by"] for each in at_work if each["started"] <= call.at <= each["ended"])
    return next(found, _PROGRAM)


def request_table(ours: Mapping[Request, int], plain: Mapping[Request, int]) -> Table:
    """One row for each who asked and what; writes in capitals of their own: `to write`."""
    table = table_of("asked by", "call", "preview", "update", "plain")
    rows: dict[tuple[str, str], Counter[str]] = {}
    for (phase, who, what), count in ours.items():
        rows.setdefault((who, what), Counter())[phase] += count
    for (_, who, what), count in plain.items():
        rows.setdefault((who, what), Counter())["plain"] += count
    for (who, what), counts in sorted(rows.items(), key=_order):
        table.add_row(who, what, *(str(counts[each]) for each in ("preview", "update", "plain")))
    total = sum(rows.values(), Counter())
    table.add_row("all", "", *(str(total[each]) for each in ("preview", "update", "plain")))
    return table


def _order(row: tuple[tuple[str, str], Counter[str]]) -> tuple[bool, bool, str, str]:
    """The provider's first, of these the writes first: they are what a switch is."""
    who, what = row[0]
    return who != PROVIDER, _is_read(what), who, what


def _is_read(permission: str) -> bool:
    return permission.partition(":")[2].startswith(_READS)
