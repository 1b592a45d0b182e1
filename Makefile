SHELL := bash
PYTHON ?= python3.11
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

DOCUMENTS ?= data/sample
# The tests of a file stay in one process: they share what its fixtures make, and some go on where others ended.
WORKERS ?= 2
PYTEST := pytest --numprocesses $(WORKERS) --dist loadfile

.PHONY: help install repro test test-slow test-long check bench structure lock

help:  ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed  ## Create .venv and install the locked versions

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

repro: install  ## Run the whole graph: documents to a trained model and a report
	dvc repro

test: install  ## Run the fast tests, WORKERS files at once
	$(PYTEST)

test-slow: install  ## Run the slow tests, WORKERS files at once
	$(PYTEST) -m "slow and not long and not gpu"

test-long: install  ## Run the tests that take minutes each
	pytest -m "long and not gpu"

check: install  ## Lint, type-check and check the direction of imports
	ruff check .
	ruff format --check .
	mypy
	lint-imports

bench: install  ## Measure the attention, how the documents of DOCUMENTS are read, and what the sandbox withstands
	longalpaca bench attention --out data/bench
	test -e $(DOCUMENTS) || dvc repro --single-item sample
	longalpaca bench reading --documents $(DOCUMENTS) --out data/bench
	longalpaca bench mutants --count 2000 --seed 2023 --out data/bench
	longalpaca bench files --count 10000 --seed 2023 --out data/bench

structure: install  ## Count what a newcomer meets: modules, names, repeats, docstrings
	python .ci/structure.py

lock: install  ## Pin the newest versions that fit pyproject.toml
	.ci/lock
