"""The provider processes: one for each configuration, for as long as the plugin runs."""

import json
import os
import threading
from typing import Any

from tests.standins.aws.aws import Aws, Schema
from tests.standins.aws.binary import provider_binary, why_missing
from tests.standins.aws.failures import RefusedError
from tests.standins.aws.process import ProviderProcess
from tests.standins.aws.terraform import Terraform
from tests.standins.aws.to_terraform import to_terraform
from tests.standins.kubernetes.property_values import UNKNOWN

__all__ = ["Connections"]


class Connections:
    """Starts a provider when something is configured in a way that nothing was before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._schema: Schema | None = None
        self._idle: Terraform | None = None
        self._configured: dict[str, Aws] = {}

    def prepare(self) -> None:
        """Starts the first one, which takes two seconds."""
        with self._lock:
            self._prepare()

    def configured(self, properties: dict[str, Any]) -> Aws:
        """The provider with this configuration.

        Raises:
            ProblemError: AWS cannot be reached with it, or says no.
            RefusedError: there is no provider on this machine.
        """
        key = json.dumps(properties, sort_keys=True, default=str)
        with self._lock:
            if key not in self._configured:
                self._configured[key] = self._configure(properties)
            return self._configured[key]

    def close(self) -> None:
        """Ends all processes."""
        with self._lock:
            running = [aws.terraform for aws in self._configured.values()]
            for terraform in [*running, *filter(None, [self._idle])]:
                terraform.close()
            self._idle, self._configured = None, {}

    def _configure(self, properties: dict[str, Any]) -> Aws:
        schema = self._prepare()
        terraform = self._idle or _started()
        # It can be configured once, even if that fails.
        self._idle = None
        given = {**_from_environment(), **_parsed(properties)}
        terraform.configure(to_terraform(schema.provider, given))
        return Aws(terraform, schema)

    def _prepare(self) -> Schema:
        if self._schema is None:
            self._idle = _started()
            self._schema = Schema(self._idle.schema())
        return self._schema


def _started() -> Terraform:
    binary = provider_binary()
    if binary is None:
        raise RefusedError(why_missing())
    return Terraform(ProviderProcess(binary))


def _from_environment() -> dict[str, Any]:
    """What every client of AWS takes from there, and this one does not: it tries 25 times."""
    attempts = os.environ.get("AWS_MAX_ATTEMPTS")
    return {"maxRetries": int(attempts)} if attempts else {}


def _parsed(properties: dict[str, Any]) -> dict[str, Any]:
    """Everything but texts comes as JSON; what is not known yet is as good as not given."""
    parsed = {}
    for key, value in properties.items():
        is_json = isinstance(value, str) and value[:1] in ("[", "{")
        plain_value = json.loads(value) if is_json else value
        if plain_value is not UNKNOWN:
            parsed[key] = plain_value
    # Version 6 of the SDK takes one where Terraform takes a list.
    if "assumeRole" in parsed:
        parsed["assumeRoles"] = [parsed.pop("assumeRole")]
    return parsed
