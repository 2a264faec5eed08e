# `make` lists what there is. Everything lives in .venv/, build/ and var/.

PYTHON ?= python3
# A test in a browser goes to whoever is free; the other tests of a file stay together.
JOBS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install
CODE := app.py models.py kiosk views tests scripts docs
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" build/lock/bin/pip-compile --quiet --generate-hashes \
	--allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
TEST_NEEDS := chromium=chromium poppler-utils=pdfsig zbar-tools=zbarimg \
	cups-ipp-utils=ippeveprinter dbus=dbus-daemon avahi-daemon=avahi-daemon

# pysqlite3 has no wheel for other machines: there it is compiled against Debian's SQLite.
ifeq ($(shell uname -m),x86_64)
WHEELS := --only-binary :all:
else
BUILD_NEEDS := gcc=gcc python3-dev=python3-config libsqlite3-dev=/usr/include/sqlite3.h
endif

.DEFAULT_GOAL := help
.PHONY: help run test check lint bench lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.project ## install what is missing, then serve the demonstration office
	@$(BIN)/loket15 demo

test: $(VENV)/.dev ## run every test, the browser's too (ARGS="tests/test_clock.py -k friday")
	@scripts/need $(TEST_NEEDS)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder $(ARGS)

check: lint test ## the gate: style, types, templates, then every test

lint: $(VENV)/.dev ## style, types and templates only
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/djlint templates --lint --quiet

bench: $(VENV)/.dev ## measure what people wait for
	@$(BIN)/python -m tests.bench $(ARGS)

lock: build/lock/bin/pip-compile ## write the lock files from pyproject.toml (ARGS=--upgrade)
	$(COMPILE) $(ARGS) --all-build-deps --output-file requirements.lock pyproject.toml
	$(COMPILE) $(ARGS) --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

clean: ## remove what was installed and built; the data in var/ stays
	rm -rf $(VENV) build *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find $(CODE) -name __pycache__ -prune -exec rm -rf {} +

# The stamps say which lock file was installed, so that a second start asks pip nothing.

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || scripts/need python3-venv=
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock | $(BIN)/pip
	@$(if $(BUILD_NEEDS),scripts/need $(BUILD_NEEDS))
	@echo "Installing the locked libraries into $(VENV)/: once, about a minute."
	@$(PIP) --require-hashes $(WHEELS) -r requirements.lock
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.runtime
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.project
	@echo "Installing the locked tools for tests into $(VENV)/: once, about a minute."
	@$(PIP) --require-hashes $(WHEELS) -r requirements-dev.lock
	@touch $@

build/lock/bin/pip-compile:
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip --quiet --disable-pip-version-check install pip-tools==7.6.2
