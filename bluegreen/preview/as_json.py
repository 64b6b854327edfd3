"""The report for programs."""

import json
from collections.abc import Sequence
from typing import Any

from bluegreen.preview.report import ServiceReport, StackReport

__all__ = ["as_json"]


def as_json(reports: Sequence[StackReport]) -> str:
    """One object with the list `stacks`; shares are in percent, pairs are before and after."""
    return json.dumps({"stacks": [_stack(report) for report in reports]}, indent=2) + "\n"


def _stack(report: StackReport) -> dict[str, Any]:
    return {
        "project": report.project,
        "stack": report.stack,
        "headline": report.headline,
        "verdict": report.verdict,
        "verdicts": report.verdicts,
        "failed": report.has_failed,
        "services": [_service(service) for service in report.services],
        "operations": dict(report.operations),
        "resources": [
            {"op": each.op, "type": each.kind, "name": each.name, "properties": each.properties}
            for each in report.resources
        ],
        "resources_left_out": report.resources_left_out,
        "errors": report.errors,
        "warnings": report.warnings,
        "messages_not_shown": dict(report.hidden),
    }


def _service(service: ServiceReport) -> dict[str, Any]:
    return {
        "name": service.name,
        "verdicts": service.verdicts,
        "sentence": service.sentence,
        "colors": {
            str(row.color): {
                "active": row.is_active,
                "share": row.share,
                "release": row.release,
                "members": row.members,
            }
            for row in service.colors
        },
        "gates": [
            {"color": each.color, "gate": each.gate, "says": each.mark} for each in service.gates
        ],
    }
