"""One Pulumi hook around one judgement, with everything that goes wrong in hooks taken care of."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from bluegreen.contract import RequestVariable
from bluegreen.errors import RolloutError
from bluegreen.gate_hooks.daemon_thread import in_daemon_thread

__all__ = ["HookCall", "resource_hook"]


@dataclass(frozen=True, slots=True)
class HookCall:
    """What a judgement is told about the step it may stop."""

    is_preview: bool
    old: Mapping[str, Any] | None
    """The resource's recorded properties; None when it is about to be created."""

    new: Mapping[str, Any]
    """The resource's wanted inputs."""

    def say(self, text: str) -> None:
        """Tells the user something."""
        pulumi.log.info(text)

    def warn(self, text: str) -> None:
        """Tells the user something to look at."""
        pulumi.log.warn(text)

    def progress(self, text: str) -> None:
        """Tells an interactive user what is being waited for."""
        pulumi.log.info(text, ephemeral=True)


def resource_hook(
    name: str,
    judge: Callable[[HookCall], None],
    *,
    timeout_seconds: float,
    in_preview: bool,
    ignore_errors: bool = False,
    by_inputs: bool = False,
    on_refusal: Callable[[], Awaitable[object]] | None = None,
) -> pulumi.ResourceHook:
    """Makes a hook that stops the step when `judge` raises or does not come back in time.

    The judgement runs in a daemon thread of its own: see `in_daemon_thread`.

    Args:
        name: Unique in the whole program.
        judge: Returns when the step may go on, raises when it must not.
        timeout_seconds: Without an answer by then the step is stopped.
        in_preview: True to ask in previews as well, where a refusal fails the preview.
        ignore_errors: True to show what `judge` raises as a warning.
        by_inputs: True to be told the recorded inputs, and not the outputs.
        on_refusal: Awaited before an update is stopped; not in a preview.
    """

    async def call(args: pulumi.ResourceHookArgs) -> None:
        recorded = args.old_inputs if by_inputs else args.old_outputs or args.old_inputs
        facts = HookCall(
            is_preview=pulumi.runtime.is_dry_run(),
            old=await _plain(recorded),
            new=await _plain(args.new_inputs) or {},
        )
        try:
            await _within(timeout_seconds, _judged(name, judge, facts))
        except RolloutError as error:
            if facts.is_preview and RequestVariable.REPORT in os.environ:
                # Somebody asks what is live; what would be refused must not hide that.
                facts.warn(f"an update would be refused: {error}")
                return
            if on_refusal is not None and not facts.is_preview:
                await on_refusal()
            raise

    call.__name__ = name
    return pulumi.ResourceHook(
        name,
        call,
        pulumi.ResourceHookOptions(on_dry_run=in_preview, ignore_errors=ignore_errors),
    )


async def _plain(properties: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Properties with their secrets, which Pulumi wraps into outputs, as plain values."""
    if properties is None:
        return None
    return {
        key: await value.future() if isinstance(value, pulumi.Output) else value
        for key, value in properties.items()
    }


async def _within(seconds: float, judgement: Awaitable[None]) -> None:
    try:
        await asyncio.wait_for(judgement, seconds)
    except TimeoutError as error:
        msg = f"no answer within {seconds:g} seconds; which counts as a no"
        raise RolloutError(msg) from error


async def _judged(name: str, judge: Callable[[HookCall], None], facts: HookCall) -> None:
    try:
        await in_daemon_thread(name, lambda: judge(facts))
    except RolloutError:
        raise
    except Exception as error:
        # An exception without a text passes as success.
        msg = f"{type(error).__name__}: {str(error) or 'no explanation'}"
        raise RolloutError(msg) from error
