# Two commands start a newcomer: `make run` and `make test`. Everything lives in .venv; second runs start in seconds.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BENCH  := .cache/bench
# Benchmarks run on the distribution's Python where it will do: it is built with profile guidance, as what users run is.
BENCH_PYTHON ?= $(shell /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo $(PYTHON))
ARGS   ?=
NAME   ?=

.DEFAULT_GOAL := help
.PHONY: help run install dev test check bench rule lock fuzz docs model

help:
	@echo "make run [ARGS=--once]  the gate inside a small internet on loopback, with a tour of good and bad mail"
	@echo "make test [ARGS=…]      the whole test suite, with the neighbours it needs (apt, where it may)"
	@echo "make check              lint, types, import contracts, drift of docs and citations"
	@echo "make bench [ARGS=…]     the benchmarks: the gate and its peers in the same run"
	@echo "make fuzz [ARGS=…]      the fuzzers, ARGS='--seconds 60 smtp'"
	@echo "make rule NAME=x.y      the skeleton of a new rule"
	@echo "make docs               the pages that are made from the code"
	@echo "make model              the classifier's start model, from the shared corpus"
	@echo "make lock               pins the dependencies again (needs uv)"

run: install
	$(BIN)/gatepost lab $(ARGS)

install: $(VENV)/.installed
dev: $(VENV)/.dev

$(VENV)/bin/python:
	$(PYTHON) tools/make_venv.py $(VENV)

$(VENV)/.installed: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

check: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/check_citations.py
	$(BIN)/python tools/make_docs.py --check

test: dev
	$(BIN)/python tools/neighbours.py
	$(BIN)/python -m pytest $(ARGS)

$(BENCH)/.installed: requirements.lock requirements-bench.lock pyproject.toml
	$(BENCH_PYTHON) tools/make_venv.py $(BENCH)
	$(BENCH)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BENCH)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bench.lock
	$(BENCH)/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

bench: $(BENCH)/.installed
	$(BENCH)/bin/python bench/run.py $(ARGS)

fuzz: dev
	$(BIN)/python fuzz/run.py $(ARGS)

rule: dev
	$(BIN)/python tools/make_rule.py "$(NAME)"

docs: dev
	$(BIN)/python tools/make_docs.py

model: dev
	$(BIN)/python bench/make_model.py $(ARGS)

lock:
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate pyproject.toml --extra scan --extra cluster --extra ldap --extra acme --group pyproject.toml:build -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate pyproject.toml --extra scan --extra cluster --extra ldap --extra acme --group pyproject.toml:dev -c requirements.lock -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate pyproject.toml --extra scan --extra cluster --extra ldap --extra acme --group pyproject.toml:bench -c requirements.lock -o requirements-bench.lock
