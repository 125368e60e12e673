# bramble: what a developer or the curious runs. `make help` lists the targets.

SHELL := /bin/bash
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
SEEDS ?= 1-200
PYTEST_ARGS ?=

.PHONY: help env system system-tests demo test thorough unit lab lint format docs snapshots bench faults lock changelog recording pictures clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: ## build .venv, so that .venv/bin/bramble runs (installs python3.11+ where there is none)
	@scripts/make-env $(VENV) requirements/dev.txt

system: ## install the Debian packages that virtual Pis need (root)
	@scripts/install-system-packages

system-tests: ## install also those that tests of cards need (root)
	@scripts/install-system-packages tests

demo: system env ## three virtual Pis, Slurm on them, verified and shown (root)
	@scripts/demo

test: system-tests env ## everything: lint, unit tests, manual, tests on virtual Pis (root)
	@scripts/install-go $(VENV)
	@$(MAKE) lint
	@$(MAKE) docs
	@scripts/run-tests $(VENV) $(PYTEST_ARGS)

thorough: ## also long proofs of services that have not changed since they passed, and all releases: before a release
	@$(MAKE) test PYTEST_ARGS="--thorough $(PYTEST_ARGS)"

unit: env ## the quick tests; one alone: make unit PYTEST_ARGS="-k fold"
	@$(BIN)/pytest tests/unit $(PYTEST_ARGS)

lab: system-tests env ## the tests on virtual Pis (root)
	@scripts/install-go $(VENV)
	@$(BIN)/pytest tests/lab $(PYTEST_ARGS)

lint: env ## formatting, lint, types, rooms, Python 3.9 of the runner, what may not stand in the tree
	@scripts/lint

format: env ## format, and mend what can be mended by itself
	@$(BIN)/ruff check --fix --exit-zero --quiet .
	@$(BIN)/ruff format .

docs: env ## the manual, into build/docs; fails on a broken link or anything undocumented
	@$(BIN)/sphinx-build --quiet --fail-on-warning --nitpicky --keep-going -d build/doctrees docs build/docs
	@echo "manual: build/docs/index.html"

snapshots: env ## write anew the snapshots of plans and outputs; read the diff before you commit it
	@$(BIN)/pytest tests/unit --snapshot-update $(PYTEST_ARGS)

bench: system-tests env ## the figures: against plain ssh, against pyinfra, 1,000 hosts, start-up (root)
	@scripts/make-env .venv-bench requirements/bench.txt
	@$(BIN)/python -m bench

faults: system env ## the fault campaign, a night: make faults SEEDS=1-200 (root)
	@scripts/faults $(SEEDS)

lock: env ## resolve requirements/*.txt anew, pinned and hashed, without naming a registry
	@scripts/lock $(BIN)/uv

changelog: env ## what the next release's entry will read like
	@$(BIN)/towncrier build --draft

recording: system env ## record anew what the README and the manual show (root)
	@$(BIN)/python scripts/record-demo scripts/demo docs/_static/demo.svg
	@$(BIN)/python scripts/record-demo scripts/demo-cards docs/_static/cards.svg

pictures: system-tests env ## take anew the pictures of the service's pages that the manual shows (root)
	@$(BIN)/python scripts/picture-pages docs/_static/pages

clean: ## remove what was built here; labs and caches of the user stay
	rm -rf $(VENV) .venv-bench build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
