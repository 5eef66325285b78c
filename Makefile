# make study   set up what is needed, run the demo studies
# make test    set up what is needed, run the tests
# make lab     set up what is needed, open the notebooks in JupyterLab
# make lint    check style, types and notebooks
# Linux and macOS; on Windows use WSL. `make study PYTHON=/path/to/python3.12` chooses the Python.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
IS_SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(IS_SUPPORTED)' 2>/dev/null && echo $$p && break; done)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: study test lab lint lock clean

study: $(VENV)/installed
	$(BIN)/cxresearch run params/*.yaml

test: $(VENV)/installed
	$(BIN)/python -m pytest

lab: $(VENV)/installed
	$(BIN)/jupyter lab --notebook-dir=notebooks --ServerApp.jpserver_extensions=cxresearch.batch.lab=True

lint: $(VENV)/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/nbstripout --verify notebooks/*.ipynb

# Everything from the hashed lock, bytecode compiled by pip; then this package itself, in place.
$(VENV)/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(IS_SUPPORTED)' || { \
		echo "cxresearch needs Python 3.11, 3.12, 3.13 or 3.14; found: $$(python3 --version 2>&1 || echo none)."; \
		echo "Install one, or name it: make study PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Setting up $(VENV): about a minute and 1.2 GB, once."
	"$(PYTHON)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# After a change of the dependencies in pyproject.toml (needs uv). Spark is left out: 400 MB, and it needs Java.
lock:
	uv pip compile pyproject.toml --extra dask --extra dev --extra fonts --universal --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) outputs
