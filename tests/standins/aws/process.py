"""A running Terraform provider: started once, speaks gRPC over a socket of its own."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

__all__ = ["ProviderProcess"]

# What Terraform says to its plugins, lest somebody starts one by hand.
HANDSHAKE = {
    "TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
    "PLUGIN_PROTOCOL_VERSIONS": "5",
}
MAX_MESSAGE_BYTES = 512 * 1024 * 1024
LAUNCHER = Path(__file__).with_name("dying_with_parent.py")

# The kernel takes the end of the thread that started a process for the end of the process's parent.
_FOR_EVER = ThreadPoolExecutor(1, thread_name_prefix="starter")


class ProviderProcess:
    """It ends when this process does, whatever ends it."""

    def __init__(self, binary: Path) -> None:
        """Starts it and waits until it answers.

        Raises:
            RuntimeError: it ended, or is no plugin of Terraform.
        """
        self._process = _FOR_EVER.submit(_started, binary).result()
        line = self._process.stdout.readline().strip() if self._process.stdout else ""
        # core version | protocol version | network | address | protocol | certificate
        parts = line.split("|")
        if len(parts) < 5 or parts[4] != "grpc":
            self._process.kill()
            self._process.communicate()
            msg = f"{binary} does not start as a plugin of Terraform: it says {line!r}"
            raise RuntimeError(msg)
        address = f"unix:{parts[3]}" if parts[2] == "unix" else parts[3]
        options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
        self.channel = grpc.insecure_channel(address, options=options)

    @property
    def pid(self) -> int:
        """Of the provider itself."""
        return self._process.pid

    def close(self) -> None:
        """Ends it now."""
        self.channel.close()
        self._process.kill()
        self._process.communicate()


def _started(binary: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", str(LAUNCHER), str(os.getpid()), str(binary)],
        env=os.environ | HANDSHAKE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        # A log that nobody reads would fill the pipe, and at its end the disk.
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
