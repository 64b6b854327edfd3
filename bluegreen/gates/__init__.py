"""Checks that look and create nothing."""

from bluegreen.gates.build import build_gates
from bluegreen.gates.capacity import CapacityGate
from bluegreen.gates.command import CommandGate
from bluegreen.gates.gate import Deadline, Endpoint, Gate, Readiness, Subject, Verdict, WrittenGate
from bluegreen.gates.http import HttpGate
from bluegreen.gates.probe import Probe
from bluegreen.gates.release import ReleaseGate
from bluegreen.gates.runner import refusal_text, run_gates

__all__ = [
    "CapacityGate",
    "CommandGate",
    "Deadline",
    "Endpoint",
    "Gate",
    "HttpGate",
    "Probe",
    "Readiness",
    "ReleaseGate",
    "Subject",
    "Verdict",
    "WrittenGate",
    "build_gates",
    "refusal_text",
    "run_gates",
]
