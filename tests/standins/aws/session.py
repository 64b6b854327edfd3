"""One plugin process for many commands of many stacks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.standins.aws.binary import why_missing

__all__ = ["AwsBridge", "why_no_aws"]

PLUGIN = Path(__file__).with_name("pulumi-resource-aws")
# Nobody checks them, but the provider does not start without any.
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
# The provider tries everything up to 25 times, for minutes.
MAX_ATTEMPTS = 3


def why_no_aws() -> str | None:
    """Why tests with AWS cannot run here; None if they can."""
    return None if _official_plugin() else why_missing()


class AwsBridge:
    """Serves until the `with` ends, or the process that started it.

    Each command is 3 s faster than with a plugin of its own. Where the official plugin is on PATH,
    that one is used, and nothing is started.
    """

    def __init__(self, endpoint: str, region: str = "us-east-1") -> None:
        """`endpoint` is the URL of everything that is AWS."""
        self._settings = {
            **KEYS,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": str(MAX_ATTEMPTS),
        }
        self._process: subprocess.Popen[str] | None = None
        self._port = ""

    @property
    def environment(self) -> dict[str, str]:
        """Variables to add to those of a `pulumi` command."""
        attached = {"PULUMI_DEBUG_PROVIDERS": f"aws:{self._port}"} if self._port else {}
        return {**self._settings, **attached}

    @property
    def pid(self) -> int | None:
        """Of the plugin, if it is ours."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        if not _official_plugin():
            self._process = subprocess.Popen(
                [sys.executable, str(PLUGIN)],
                env={**os.environ, **self._settings},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self._port = self._process.stdout.readline().strip() if self._process.stdout else ""
            if not self._port:
                msg = "the stand-in for the AWS provider did not start; see above"
                raise RuntimeError(msg)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
            self._process, self._port = None, ""


def _official_plugin() -> bool:
    found = shutil.which(PLUGIN.name)
    return found is not None and Path(found).resolve() != PLUGIN
