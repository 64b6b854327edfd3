"""Checks that look and create nothing."""

from bluegreen.gates.approval import ApprovalGate
from bluegreen.gates.build import build_gates
from bluegreen.gates.capacity import CapacityGate
from bluegreen.gates.command import CommandGate
from bluegreen.gates.dependencies import DependenciesGate
from bluegreen.gates.feature_flags import FeatureFlagsGate
from bluegreen.gates.gate import (
    Deadline,
    Endpoint,
    Gate,
    Readiness,
    Subject,
    Verdict,
    WrittenGate,
)
from bluegreen.gates.http import HttpGate
from bluegreen.gates.json_schema import JsonSchemaGate
from bluegreen.gates.probe import Probe
from bluegreen.gates.release import ReleaseGate
from bluegreen.gates.runner import refusal_text, run_gates
from bluegreen.gates.suite import SuiteGate
from bluegreen.gates.warm_up import WarmUpCommand, WarmUpRequests

__all__ = [
    "ApprovalGate",
    "CapacityGate",
    "CommandGate",
    "Deadline",
    "DependenciesGate",
    "Endpoint",
    "FeatureFlagsGate",
    "Gate",
    "HttpGate",
    "JsonSchemaGate",
    "Probe",
    "Readiness",
    "ReleaseGate",
    "Subject",
    "SuiteGate",
    "Verdict",
    "WarmUpCommand",
    "WarmUpRequests",
    "WrittenGate",
    "build_gates",
    "refusal_text",
    "run_gates",
]
