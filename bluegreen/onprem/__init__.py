"""Processes of this machine behind HAProxy, as Pulumi components."""

from bluegreen.onprem.active_flag import ActiveFlag
from bluegreen.onprem.extra import check_extra
from bluegreen.onprem.haproxy_router import HaproxyRouter, HaproxyRouterArgs
from bluegreen.onprem.local_haproxy import LocalHaproxy
from bluegreen.onprem.process_fleet import ProcessFleet, ProcessFleetArgs
from bluegreen.onprem.process_service import ProcessService, ProcessServiceArgs
from bluegreen.onprem.supervisor import Supervisor

__all__ = [
    "ActiveFlag",
    "HaproxyRouter",
    "HaproxyRouterArgs",
    "LocalHaproxy",
    "ProcessFleet",
    "ProcessFleetArgs",
    "ProcessService",
    "ProcessServiceArgs",
    "Supervisor",
]

check_extra()
