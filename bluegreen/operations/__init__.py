"""Drives the stacks of any program that keeps to `bluegreen.contract`: one verb a file."""

from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.engine_process import Interruption
from bluegreen.operations.outcome import (
    ExitCode,
    OperationError,
    RefusedError,
    UncertainError,
    UsageError,
)
from bluegreen.operations.stack import Stack

__all__ = [
    "EngineMessage",
    "ExitCode",
    "Interruption",
    "OperationError",
    "RefusedError",
    "Stack",
    "UncertainError",
    "UsageError",
]
