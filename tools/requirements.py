"""Checks that requirements.txt is what pyproject.toml asks for, and names no download address."""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (
    "uv pip compile --no-emit-index-url --universal --python-version 3.11 --group dev "
    "--extra onprem --extra kubernetes --extra aws --extra cli pyproject.toml -o requirements.txt"
)


def main() -> int:
    """Prints what does not fit; 0 when all does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    text = (ROOT / "requirements.txt").read_text()
    pins = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, flags=re.MULTILINE))
    problems = [
        problem
        for wanted in _wanted(project)
        if (problem := _problem(Requirement(wanted), pins)) is not None
    ]
    if "://" in text:
        problems.append("requirements.txt names a download address")
    for problem in problems:
        print(f"{problem}; run: {COMMAND}", file=sys.stderr)
    return 1 if problems else 0


def _wanted(project: dict) -> list[str]:
    extras = project["project"]["optional-dependencies"].values()
    return [
        *project["project"]["dependencies"],
        *(requirement for extra in extras for requirement in extra),
        *project["dependency-groups"]["dev"],
    ]


def _problem(wanted: Requirement, pins: dict[str, str]) -> str | None:
    name = wanted.name.lower()
    if not any(each.operator in {"<", "=="} for each in wanted.specifier):
        return f"{wanted} has no upper bound"
    if name not in pins:
        return f"{wanted} is not in requirements.txt"
    if not wanted.specifier.contains(pins[name]):
        return f"requirements.txt has {name} {pins[name]}, pyproject.toml wants {wanted.specifier}"
    return None


if __name__ == "__main__":
    sys.exit(main())
