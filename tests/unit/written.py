"""What a person might have written into a stack's config, and how `ServiceConfig.load` reads it."""

import json

import pytest

from bluegreen.errors import ConfigError
from bluegreen.settings.config import ServiceConfig

COMMAND = "serve --port {port}"


class FakeSource:
    """Answers as `pulumi.Config` does: text as it is, anything else as JSON text."""

    name = "shop"

    def __init__(self, written):
        self._written = written

    def get(self, key):
        value = self._written.get(str(key))
        return value if value is None or isinstance(value, str) else json.dumps(value)


def written(*, service=None, **changes):
    """A config without problems, except for what is changed; None removes a key."""
    defaults = {
        "active_color": "blue",
        "service": {"name": "shop", "onprem": {"command": COMMAND}},
        "blue": {"release": "1.0"},
        "green": {"release": "1.1"},
    }
    if isinstance(service, dict):
        changes["service"] = {**defaults["service"], **service}
    elif service is not None:
        changes["service"] = service
    return {key: value for key, value in {**defaults, **changes}.items() if value is not None}


def a_config(**changes):
    return ServiceConfig.load(FakeSource(written(**changes)))


def problems_of(**changes):
    with pytest.raises(ConfigError) as caught:
        a_config(**changes)
    return list(caught.value.problems)


def problem_of(**changes):
    (problem,) = problems_of(**changes)
    return problem


def set_path(path, value="VALUE"):
    """The command that sets a value, as it stands in a message."""
    return f"`pulumi config set --path {path} {value}`"
