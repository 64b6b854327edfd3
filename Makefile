# Few commands; each one makes what it needs first, and is fast when that is there.
.DEFAULT_GOAL := help
.PHONY: help setup demo cluster test soak check bench clean
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
ENV := . .bluegreen/env &&

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: ## make everything the other commands need (venv, HAProxy, engine); they call it themselves
	@tools/setup.sh "$(PYTHON)"

demo: setup ## run the main job on this machine: deploy, switch under load, refuse, roll back
	@$(ENV) $(BIN)/python -m tools.demo

cluster: setup ## start a Kubernetes API server with pretended nodes; ARGS=--node: a real one, as root
	@$(ENV) $(BIN)/python -m tools.cluster up $(ARGS)

test: setup ## run all tests but those of `make soak`
	@$(ENV) if [ -n "$(ARGS)" ]; then $(BIN)/python -m pytest $(ARGS); else tools/test.sh; fi

soak: setup ## kill `pulumi up` at every moment, and run all that `make test` leaves out (hours)
	@$(ENV) $(BIN)/python -m pytest -m "" -s tests/engine/test_kills.py $(ARGS)
	@$(ENV) $(BIN)/python -m pytest -m soak --ignore tests/engine/test_kills.py $(ARGS)
	@$(ENV) $(BIN)/python -m pytest -m "not soak" --hypothesis-profile "new examples" \
	    tests/unit tests/components $(ARGS)

check: setup ## formatting, lint, types, import layers, package
	@tools/check.sh

bench: setup ## measure against a plain Pulumi program and against reloads, as ratios
	@$(ENV) $(BIN)/python -m benchmarks $(ARGS)
	@$(ENV) $(BIN)/python -m benchmarks command $(filter --quick,$(ARGS))
	@$(ENV) $(BIN)/python -m benchmarks traffic $(filter --quick,$(ARGS))
	@$(ENV) $(BIN)/python -m benchmarks kubernetes $(filter --quick,$(ARGS))
	@$(ENV) $(BIN)/python -m benchmarks kubernetes-traffic $(filter --quick,$(ARGS))
	@$(ENV) $(BIN)/python -m benchmarks aws $(filter --quick,$(ARGS))

clean: ## remove what make made in this checkout (what was built stays in the user's cache)
	@for folder in .bluegreen/*cluster*/; do \
	    if [ -d "$$folder" ]; then $(BIN)/python -m tools.cluster down --folder "$$folder" || exit 1; fi; \
	done
	rm -rf .venv .bluegreen dist
