#!/bin/sh
# All tests: first those that want the machine for themselves, one after the other; then those that
# mostly wait, two at a time.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/python -m pytest -m "not soak and not beside"
.venv/bin/python -m pytest -m "not soak and beside" --numprocesses 2 --dist worksteal
