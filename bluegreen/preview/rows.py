"""The table of both colors, as every form of the report shows it."""

from bluegreen.preview.report import ColorRow, ServiceReport

__all__ = ["COLUMNS", "color_rows", "gate_lines"]

_NOTHING = "\N{EN DASH}"

COLUMNS = ("color", "role", "traffic", "release", "members")


def color_rows(service: ServiceReport) -> list[tuple[str, ...]]:
    """One row for each color, in the order of `COLUMNS`."""
    return [_cells(row) for row in service.colors]


def gate_lines(service: ServiceReport) -> list[str]:
    """What each gate says of the color that is to get more traffic."""
    return [f"{each.color}: {each.gate}: {each.mark}" for each in service.gates]


def _cells(row: ColorRow) -> tuple[str, ...]:
    role = ["active" if is_active else "idle" for is_active in row.is_active]
    share = [f"{each} %" for each in row.share]
    return (
        str(row.color),
        _change(*role),
        _change(*share),
        _change(*(each or _NOTHING for each in row.release)),
        _change(*(each or _NOTHING for each in row.members)),
    )


def _change(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"
