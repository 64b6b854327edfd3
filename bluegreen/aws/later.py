"""Values that Pulumi knows only while it works, asked for by hooks, which are plain functions."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Mapping
from typing import Any

import pulumi

from bluegreen.errors import DataPlaneError

__all__ = ["Later", "known"]

_WAIT_SECONDS = 5.0
"""A hook runs when all that its resource depends on is known; the value itself may come a moment
after that."""


class Later:
    """One value, known at once or once another resource is there."""

    def __init__(self, what: str, value: pulumi.Input[str]) -> None:
        """Begins to wait for it.

        Args:
            what: What it is, for people.
            value: A text, or an output of another resource.
        """
        self._what = what
        self._loop_thread = threading.get_ident()
        self._found: concurrent.futures.Future[str | None] = concurrent.futures.Future()
        if isinstance(value, str):
            self._found.set_result(value)
        else:
            asyncio.ensure_future(self._settle(pulumi.Output.from_input(value)))  # noqa: RUF006

    def get(self) -> str | None:
        """The value; None in a preview that cannot know it.

        Raises:
            DataPlaneError: It is not there yet, or what it comes from failed.
        """
        is_loop = threading.get_ident() == self._loop_thread
        try:
            return self._found.result(0 if is_loop else _WAIT_SECONDS)
        except TimeoutError as error:
            msg = f"{self._what} is not known yet"
            raise DataPlaneError(msg) from error

    async def _settle(self, output: pulumi.Output[Any]) -> None:
        try:
            value = await output.future() if await output.is_known() else None
        except Exception as error:  # noqa: BLE001  # told where it is asked for
            self._fail(error)
        else:
            self._found.set_result(None if value is None else str(value))

    def _fail(self, error: Exception) -> None:
        msg = f"{self._what} is not known: {type(error).__name__}"
        self._found.set_exception(DataPlaneError(msg))


def known(values: Mapping[Any, Later]) -> dict[Any, str] | None:
    """All of them; None when one cannot be known in this preview."""
    found = {key: value.get() for key, value in values.items()}
    return None if None in found.values() else {key: str(value) for key, value in found.items()}
