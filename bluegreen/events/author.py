"""Who runs an update, and from which commit, as far as the environment says it."""

import getpass
import os
import socket
from collections.abc import Mapping

__all__ = ["author", "commit"]

_PIPELINE_VARIABLE = "BLUEGREEN_BY"
_COMMIT_VARIABLES = ("BLUEGREEN_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION")
"""Ours, and those of the usual pipelines."""

_USER_VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")
"""In the order in which `getpass` looks at them."""


def author(environment: Mapping[str, str]) -> str:
    """Who runs this: what a pipeline says in `BLUEGREEN_BY`, else `user@host`."""
    pipeline = environment.get(_PIPELINE_VARIABLE)
    return pipeline or f"{_user(environment)}@{socket.gethostname()}"


def commit(environment: Mapping[str, str]) -> str:
    """The commit this is made from: `BLUEGREEN_COMMIT`, else what a pipeline says; or nothing."""
    return next(filter(None, map(environment.get, _COMMIT_VARIABLES)), "")


def _user(environment: Mapping[str, str]) -> str:
    named = next(filter(None, map(environment.get, _USER_VARIABLES)), None)
    if named is not None:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user that its password file does not know; OSError from 3.13 on.
        return f"uid {os.getuid()}"
