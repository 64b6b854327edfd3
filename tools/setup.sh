#!/bin/sh
# Makes what the project needs in this checkout. Says what it does; when all is there it says nothing.
set -eu
cd "$(dirname "$0")/.."
python="${1:-python3}"

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 2; }

command -v "$python" >/dev/null 2>&1 || fail "$python is not installed; install Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is $("$python" --version 2>&1); Python 3.11 or newer is needed: make PYTHON=python3.12 …"

wanted="$(cat requirements.txt pyproject.toml | cksum) $(pwd)"
if [ "$(cat .venv/bluegreen-setup 2>/dev/null)" != "$wanted" ]; then
    say "making the virtual environment in .venv (about half a minute, once)"
    "$python" -m venv .venv ||
        fail "cannot make a virtual environment; on Debian: apt-get install python3-venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
    printf '%s' "$wanted" > .venv/bluegreen-setup
fi

if ! command -v haproxy >/dev/null 2>&1 && [ ! -x /usr/sbin/haproxy ]; then
    tools/install_packages.sh haproxy
fi

.venv/bin/python tools/engine/install.py --python .venv/bin/python --into .bluegreen
