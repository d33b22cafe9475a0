# hadeploy: `make demo` shows a failover, `make test` tests on real nodes, `make test-all` on emulated machines too, `make check` is the fast loop.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PATTERN ?= active-passive
SECONDS_OF_LABS := $(VENV)/lab-seconds.json
LABS = $(BIN)/pytest --no-loadscope-reorder --durations=0 --durations-min=60 --lab-seconds=$(SECONDS_OF_LABS)

.PHONY: help venv deps check lint units test test-all demo bench golden docs clean

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: pyproject.toml requirements-ci.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements-ci.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

venv: $(VENV)/.installed ## the Python environment alone (no root)

deps: venv ## Debian packages that the lab and the native parsers need (root), and the Python environment
	scripts/install-packages

check: venv ## the fast loop: lint, types, contracts, unit tests
	$(MAKE) --jobs=2 --output-sync=target lint units

lint: venv ## format, lint, types, contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/yamllint --strict .
	$(BIN)/ansible-lint --offline -q roles

units: venv ## unit tests
	$(BIN)/pytest -q -n 2 -m "not (lab or native or programs or bench or machines or extended)" --durations=5

test: deps ## check, native parsers, real nodes, Molecule: what half an hour has time for
	$(MAKE) check
	$(BIN)/pytest -q -n 2 -m "(programs or (native and not (lab or bench))) and not extended" --durations=5
	rm -f $(SECONDS_OF_LABS)
	$(LABS) -n 2 --dist loadscope -m "lab and not (emulated or extended or machines)"
	$(LABS) -m "emulated and not (extended or machines)"

test-all: test ## that, what repeats a proof of it, and whole scenarios on virtual machines
	$(LABS) -n 2 --dist loadscope -m "extended and not (emulated or machines)"
	$(LABS) -m "machines or (extended and emulated)"

demo: deps ## a failover on real nodes on this machine: make demo [PATTERN=active-passive]
	$(BIN)/python scripts/demo.py $(PATTERN)

bench: deps ## measure; writes bench/results.md
	$(BIN)/python bench/bench.py

golden: venv ## write the golden build trees anew (look at the diff)
	$(BIN)/pytest -q tests/golden --update-golden

docs: venv ## write docs/rules from the design rules
	$(BIN)/python scripts/rule_pages.py

clean: ## remove what was built here
	rm -rf build dist $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
