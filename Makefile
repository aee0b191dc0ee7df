# wirewatch: `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
UV = $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
LOG = $(VENV)/install.log
NO_NETWORK = { echo "wirewatch: the Python packages could not be installed (why: $(LOG)): connect to the network for this first time and run make again." >&2; exit 1; }

.PHONY: help run test lint format types unit integration e2e deploy-test bench-ingest bench-match bench-notify catalogue eval-entities docs lock clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

run: $(VENV)/.run ## Start everything here: a real Kafka, the four services, the starter set (Ctrl-C ends it)
	@exec $(BIN)/wirewatch run

test: lint types unit integration e2e deploy-test ## All that CI runs: lint, types, and every test on a real Kafka

lint: $(VENV)/.dev ## Lint, format check, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev ## Check the types, strictly
	$(BIN)/mypy

unit: $(VENV)/.dev ## Tests that need nothing
	$(BIN)/pytest -q tests/unit

integration: $(VENV)/.dev ## Tests of each service on a real Kafka
	$(BIN)/pytest -q tests/integration

e2e: $(VENV)/.dev ## Tests of the whole road, with services killed in the middle
	$(BIN)/pytest -q tests/e2e

deploy-test: $(VENV)/.dev ## Manifests, alert rules and dashboards against the program
	$(BIN)/pytest -q tests/deploy

bench-ingest: $(VENV)/.bench ## Measure ingest beside its peers, on a real Kafka (about a quarter of an hour; QUICK=1: three minutes)
	PYTHONPATH=tests $(BIN)/python -m tests.bench.run $(if $(QUICK),--quick)

bench-match: $(VENV)/.bench ## Measure matching beside Lucene Monitor, and on a real Kafka (needs Maven and a JDK; an hour; QUICK=1: ten minutes)
	PYTHONPATH=tests $(BIN)/python -m tests.bench.match_run $(if $(QUICK),--quick)

bench-notify: $(VENV)/.bench ## Measure notify beside a bare HTTP client, on a real Kafka (a quarter of an hour; QUICK=1: five minutes)
	PYTHONPATH=tests $(BIN)/python -m tests.bench.notify_run $(if $(QUICK),--quick)

catalogue: $(VENV)/.catalogue ## Make the catalogue of entities and themes anew from catalogue/
	$(BIN)/python -m catalogue.make

eval-entities: $(VENV)/.catalogue ## Measure how well names and themes are found (docs/entities.md)
	$(BIN)/python -m tests.eval_entities.evaluate

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(VENV)/.dev ## Write the pages that are made from the code
	$(BIN)/python -m docs.generate

lock: $(VENV)/bin/python ## Resolve the dependencies anew (names, versions and hashes; no addresses)
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 pyproject.toml --extra fast -o requirements.lock --upgrade
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 pyproject.toml -c requirements.lock --extra local --group build -o requirements-run.lock --upgrade
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 pyproject.toml -c requirements-run.lock --extra local --group build --group dev -o requirements-dev.lock --upgrade
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --group bench -c requirements-dev.lock -o requirements-bench.lock --upgrade
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --group catalogue -c requirements-dev.lock -o requirements-catalogue.lock
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --group build -c requirements-run.lock -o deploy/requirements-build.lock

clean: ## Remove what make made here (not the data of `make run`)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "wirewatch: needs Python 3.11 or newer as $(PYTHON); set another one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "wirewatch: $(PYTHON) cannot make a virtual environment: install its venv package (on Debian: python3-venv)." >&2; rm -rf $(VENV); exit 1; }

$(VENV)/.run: $(VENV)/bin/python requirements-run.lock pyproject.toml
	@echo "wirewatch: installing the Python packages"
	@test -x "$(UV)" || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) >$(LOG) 2>&1 || $(NO_NETWORK)
	@$(INSTALL) --require-hashes -r requirements-run.lock >$(LOG) 2>&1 || $(NO_NETWORK)
	@$(INSTALL) --no-deps --no-build-isolation -e . >$(LOG) 2>&1 || $(NO_NETWORK)
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@echo "wirewatch: installing the developers' packages"
	@$(INSTALL) --require-hashes -r requirements-dev.lock >$(LOG) 2>&1 || $(NO_NETWORK)
	@touch $@

$(VENV)/.bench: $(VENV)/.dev requirements-bench.lock
	@echo "wirewatch: installing the peers that are measured"
	@$(INSTALL) --require-hashes -r requirements-bench.lock >$(LOG) 2>&1 || $(NO_NETWORK)
	@touch $@

$(VENV)/.catalogue: $(VENV)/.dev requirements-catalogue.lock
	@echo "wirewatch: installing the packages whose names go into the catalogue"
	@$(INSTALL) --require-hashes -r requirements-catalogue.lock >$(LOG) 2>&1 || $(NO_NETWORK)
	@touch $@
