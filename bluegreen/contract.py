"""What every program of this library agrees on: config keys in, stack outputs out."""

from enum import StrEnum

__all__ = ["ConfigKey", "OutputName", "OverrideVariable", "RequestVariable"]


class ConfigKey(StrEnum):
    """The keys of the stack config, below the project's own name."""

    ACTIVE_COLOR = "active_color"
    SERVICE = "service"
    BLUE = "blue"
    GREEN = "green"
    CANARY = "canary"
    RETIRED = "retired"


class OutputName(StrEnum):
    """The stack outputs; each one comes from a resource's property, never from the config."""

    ACTIVE_COLOR = "active_color"
    IDLE_COLOR = "idle_color"
    RELEASES = "releases"
    PRODUCTION_URL = "production_url"
    TEST_URL = "test_url"
    GUARANTEE = "guarantee"
    ROLLBACK_COMMAND = "rollback_command"


class OverrideVariable(StrEnum):
    """Environment variables that lift one protection for one `pulumi up`, and are recorded."""

    ROLLBACK = "BLUEGREEN_ROLLBACK"
    """`<color>:<reason>`: skip slow gates, accept a smaller fleet, on the way back to a color."""

    ALLOW_LIVE_CHANGE = "BLUEGREEN_ALLOW_LIVE_CHANGE"
    """`<color>:<reason>`: let this update change the release of a color that has traffic."""

    RETIRE_EARLY = "BLUEGREEN_RETIRE_EARLY"
    """`<reason>`: shrink a retired color before its retention is over."""


class RequestVariable(StrEnum):
    """Environment variables in which a command asks something of the program that it runs."""

    REPORT = "BLUEGREEN_REPORT"
    """Path of a file: what is live is written there, as `bluegreen.report.Report`."""

    VALIDATE = "BLUEGREEN_VALIDATE"
    """A color whose gates are asked for that report; nothing is refused by what they say."""

    STOP = "BLUEGREEN_STOP"
    """Path of a file: once it is there, the router is not written any more. The engine itself
    finishes the step it is at when it is interrupted, and gates and write are one step."""
