#!/bin/sh
# Everything that reads the code and runs none of it.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin
step() { printf '%s\n' "== $*"; }

step "format"; "$bin/ruff" format --check --quiet .
step "lint"; "$bin/ruff" check --quiet .
step "types"; "$bin/mypy"
"$bin/mypy" --package tools.cluster
# Scripts that import each other by bare name.
(cd tools/engine && "../../$bin/mypy" --config-file ../../pyproject.toml ./*.py)
(cd tests/standins/kubernetes && MYPYPATH=../../../tools/engine \
    "../../../$bin/mypy" --config-file ../../../pyproject.toml ./*.py)
"$bin/mypy" --explicit-package-bases --package tests.standins.aws_cloud
"$bin/mypy" --package tests.standins.aws
step "import layers"; "$bin/lint-imports" --no-cache
step "requirements"; "$bin/python" tools/requirements.py
step "configuration reference"; "$bin/python" tools/configuration_docs.py --check
step "command reference"; "$bin/python" tools/command_docs.py --check
