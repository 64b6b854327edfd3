"""Work that may hang, beside a Pulumi program's event loop."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar, cast

from bluegreen.errors import RolloutError

__all__ = ["in_daemon_thread"]

_Result = TypeVar("_Result")


async def in_daemon_thread(name: str, work: Callable[[], _Result]) -> _Result:
    """Does something in a daemon thread of its own and returns what it returns, or raises.

    The event loop stays free, its default pool, which Pulumi's own calls need, is not used, and
    work that hangs delays neither other work nor the end of the program.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()
    # Pulumi keeps its settings, `pulumi.log` among them, in context variables.
    context = contextvars.copy_context()

    def finish(result: _Result | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast("_Result", result))

    def run() -> None:
        result, failure = None, None
        try:
            result = context.run(work)
        except Exception as error:  # noqa: BLE001  # raised where it is waited for
            failure = error
        except BaseException as error:  # noqa: BLE001  # a SystemExit would pass as success there
            failure = RolloutError(f"{type(error).__name__}: {error}")
        # The loop may be gone when the work ends after its time.
        if not loop.is_closed():
            loop.call_soon_threadsafe(finish, result, failure)

    threading.Thread(target=run, name=f"bluegreen-{name}", daemon=True).start()
    return await done
