"""The plain program after importing the library: what is left is components, hooks and config."""

import runpy
from pathlib import Path

import bluegreen.onprem
import bluegreen.settings

PLAIN = Path(__file__).resolve().parents[1] / "plain"

assert bluegreen.onprem.__all__
assert bluegreen.settings.__all__
runpy.run_path(str(PLAIN), run_name="__main__")
