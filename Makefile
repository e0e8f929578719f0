# `make demo` and `make test` do all the set-up themselves; `make` alone lists what there is.

VENV := .venv
BIN := $(VENV)/bin
# What make installed is noted here, so that a second call is quick.
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
READY_DOCS := $(VENV)/.ready-docs
SCREEN := tools/with-screen.sh

# The Python to use: make PYTHON=/path/to/python3.12 demo
PYTHON ?=
# Options of pytest: make test PYTEST="-k focus"
PYTEST ?=
# Processes that the tests run in, a file of tests at a time; 0 for none but the first.
PROCESSES ?= 2

.PHONY: help setup demo test docs lint style types contracts manifest screenshots benchmarks constraints clean

help:
	@echo "make demo          synthetic frames with known truth, registered, clipped and fused"
	@echo "make test          the tests"
	@echo "make docs          the site, in build/site"
	@echo "make setup         only the environment, in $(VENV)"
	@echo "make lint          style, types, import contracts, manifest"
	@echo "make screenshots   the pictures of the README"
	@echo "make benchmarks    times and peak memory"
	@echo "make constraints   newer versions in constraints.txt"
	@echo "make clean         remove what make made"

setup: $(READY)

demo: $(READY)
	$(BIN)/napari-stack demo

# Bytecode is kept while they run: they start many processes.
test: export PYTHONDONTWRITEBYTECODE =
test: $(READY)
	@$(SCREEN) $(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile $(PYTEST)

# The links and examples of the pages are checked; nothing is fetched.
docs: export NO_MKDOCS_2_WARNING = 1
docs: $(READY_DOCS)
	$(BIN)/python -W ignore -m mkdocs build --quiet
	@echo "The site is in build/site/index.html"

lint: style types contracts manifest

style: $(READY_DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY_DEV)
	$(BIN)/mypy

contracts: $(READY_DEV)
	$(BIN)/lint-imports --no-logo

manifest: $(READY_DEV)
	$(BIN)/python tools/manifest.py
	$(SCREEN) $(BIN)/npe2 validate napari-stack --imports

screenshots: $(READY)
	$(SCREEN) $(BIN)/python tools/screenshots.py
	$(BIN)/python tools/focus_pictures.py
	$(BIN)/python tools/method_pictures.py

benchmarks: $(READY)
	@set -e; for file in $$(grep -l __main__ benchmarks/*.py); do \
		echo "== $$file"; $(BIN)/python $$file; done

constraints:
	tools/constraints.sh $(PYTHON)

clean:
	[ ! -e $(VENV)/.made ] || rm -rf $(VENV)
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@python=$$(tools/python.sh $(PYTHON)) && echo "Making $(VENV) with $$python" && \
		"$$python" -m venv $(VENV) && touch $(VENV)/.made

$(READY): $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@tools/system-libraries.sh
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[all,test]"
	@touch $@

$(READY_DEV): $(READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[all,dev]"
	@touch $@

$(READY_DOCS): $(READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[all,docs]"
	@touch $@
