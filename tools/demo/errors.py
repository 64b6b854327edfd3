"""What the demo tells a person instead of a traceback."""

import signal

__all__ = ["DemoError", "Interrupted"]


class DemoError(Exception):
    """The demo cannot go on; the message is one line for a person."""


class Interrupted(BaseException):
    """Somebody pressed Ctrl-C, or the machine wants this process to end.

    Like `KeyboardInterrupt` it is no `Exception`, so that nothing takes it for a failure.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.exit_code = 128 + number
