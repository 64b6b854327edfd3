#!/bin/sh
# All tests: first those that want the machine for themselves, one after the other; then those that
# nothing beside them disturbs, two at a time. A few that failed are run again by themselves:
# `tests/run_again.py`.
set -eu
cd "$(dirname "$0")/.."
# Each of a thousand programs would compile the library anew.
unset PYTHONDONTWRITEBYTECODE
run() {
    status=0
    .venv/bin/python -m pytest -p tests.run_again "$@" || status=$?
    if [ "$status" -eq 75 ]; then
        echo "== once more, by themselves"
        cat .bluegreen/run-again
        .venv/bin/python -m pytest @.bluegreen/run-again
    elif [ "$status" -ne 0 ]; then
        exit "$status"
    fi
}
run -m "not soak and not beside"
run -m "not soak and beside" -p tests.processes --numprocesses 2
