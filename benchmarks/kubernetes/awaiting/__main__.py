"""The plain program with the provider's own waits, as it has them unless told otherwise."""

import runpy
import sys
from pathlib import Path

PLAIN = Path(__file__).resolve().parents[1] / "plain"

sys.path.insert(0, str(PLAIN))

import service  # noqa: E402  # of the plain program

service.SKIP_AWAIT = {}
runpy.run_path(str(PLAIN), run_name="__main__")
