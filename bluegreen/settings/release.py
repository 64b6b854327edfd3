"""The version of a program, as a person writes it."""

from typing import Annotated

from pydantic import Field

__all__ = ["Release"]

Release = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")
]
"""Fit for a label, a tag and a line of text: `1.4.2`, `2026-11-02+build.7`."""
