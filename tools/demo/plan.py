"""What one demo is going to do: which stack, which ports, how much load, where results go."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from bluegreen.colors import Color
from bluegreen.load.plan import MAX_RATE, MAX_REQUESTS
from bluegreen.naming import service_name_problem
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.settings import ServiceConfig, ServiceSettings
from tools.demo.errors import DemoError

__all__ = ["DEFAULT_RATE", "DEFAULT_SWITCHES", "DemoPlan"]

DEFAULT_RATE = 2000.0
"""Requests per second; see the table of rates in docs/demo.md."""

DEFAULT_SWITCHES = 6
"""Moves of traffic before the broken release is tried."""

# HAProxy's limit for the path of a socket, less the name of the socket.
_LONGEST_RUN_DIRECTORY = 97 - len("/haproxy.sock")
_NAMESPACE = "bluegreen"
