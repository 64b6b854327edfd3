"""The only place where gates become Pulumi resource hooks."""

from bluegreen.gate_hooks.daemon_thread import in_daemon_thread
from bluegreen.gate_hooks.deliveries import deliveries, delivery_problems
from bluegreen.gate_hooks.failure import Failure, go_on
from bluegreen.gate_hooks.hook import HookCall, resource_hook
from bluegreen.gate_hooks.live_report import report_if_asked
from bluegreen.gate_hooks.place_guard import PlaceGuard
from bluegreen.gate_hooks.retention import check_removed_colors
from bluegreen.gate_hooks.service_hooks import ServiceHooks
from bluegreen.gate_hooks.truth import LiveFacts
from bluegreen.gate_hooks.unused import warn_of_unused_permissions
from bluegreen.gate_hooks.update import PropertyReaders, Update

__all__ = [
    "Failure",
    "HookCall",
    "LiveFacts",
    "PlaceGuard",
    "PropertyReaders",
    "ServiceHooks",
    "Update",
    "check_removed_colors",
    "deliveries",
    "delivery_problems",
    "go_on",
    "in_daemon_thread",
    "report_if_asked",
    "resource_hook",
    "warn_of_unused_permissions",
]
