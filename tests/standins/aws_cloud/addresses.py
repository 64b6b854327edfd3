"""Gives instances loopback addresses that no other cloud on this machine gives to its own."""

import contextlib
import itertools
import random
import socket

__all__ = ["Addresses"]


class Addresses:
    """A network 127.N.0.0/16, ours until we end: whoever else wants it picks another."""

    def __init__(self) -> None:
        self._claim, self._second = _claimed()
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """Gives the network back."""
        self._claim.close()

    def new(self) -> str:
        """An address that was not given to anybody yet."""
        third, fourth = divmod(next(self._numbers), 250)
        return f"127.{self._second}.{third}.{fourth + 1}"


def _claimed() -> tuple[socket.socket, int]:
    # 127.0.0.0/16 is everybody's. The kernel drops an abstract name with its last owner.
    for second in random.sample(range(10, 250), 240):
        claim = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            claim.bind(f"\0bluegreen-test-cloud-{second}")
            return claim, second
        claim.close()
    msg = "all networks of 127.0.0.0/8 are taken by other test clouds"
    raise RuntimeError(msg)
