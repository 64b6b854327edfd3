#!/bin/sh
# All tests: first those that want the machine for themselves, one after the other; then those of the
# test clusters, which mostly wait, two at a time.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/python -m pytest -m "not soak and (alone or not kubernetes)"
.venv/bin/python -m pytest -m "not soak and not alone and kubernetes" --numprocesses 2 --dist worksteal
