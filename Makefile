# Everything that a person or CI runs. `make course` for the course, `make test` for all checks.

PYTHON ?= python3
PORT ?= 8000
SAMPLE ?=

# Recipes run in the environment. nbgrader calls alembic by name, so its bin must be on PATH; and the course's matrices
# are so small that a second BLAS thread makes them slower.
VENV := .venv
RUN := $(VENV)/bin/python
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

# What generated things are made of: files, without what Python and Jupyter leave beside them.
files = $(shell find $(1) -type f -not -path '*/__pycache__/*' -not -path '*/.ipynb_checkpoints/*')
KIT := $(call files,coursekit) pyproject.toml tools/version.py
LABS := $(call files,labs) nbgrader_config.py
SOLUTIONS := $(call files,solutions)
GRADING := $(call files,grading)

PINNED := $(VENV)/installed
INSTALLED := $(VENV)/etc/jupyter/nbgrader_config.py
RELEASED := release/.made
SOLVED := build/solved/.made
GRADED := build/demo/.made

.PHONY: help course test ready fresh venv book release solved demo notebooks serve lint bench bench-large attacks mutants \
	artifacts gates hub lock clean
.DELETE_ON_ERROR:

help:
	@echo "make course     the book, the student release, and a small class that has been graded"
	@echo "make test       what CI checks: all tests, and of the slow ones that are many alike what a change touches"
	@echo "                (not more than a person waits for) and a sample; SAMPLE=all runs everything, as every night"
	@echo "make book | release | demo | solved    one part of it"
	@echo "make serve      the book at a local address (PORT=$(PORT))"
	@echo "make lint       ruff"
	@echo "make bench      how fast a class is graded, against nbgrader as it comes; lab 06, against PyTorch; lab 16, against itself"
	@echo "make bench-large  how fast 300 get feedback too, and what becomes of time and memory with 10,000 (an hour)"
	@echo "make attacks    what hostile notebooks get from either (half an hour)"
	@echo "make mutants    which slips the checks let through, of all that a machine makes (some minutes)"
	@echo "make artifacts  train again what coursekit ships"
	@echo "make gates      train each model that the course promises something of, from three seeds or five"
	@echo "make hub        take a class through JupyterHub and nbgrader's exchange, in browsers (as root, with Node.js)"
	@echo "make lock       pin again what requirements.txt pulls in"
	@echo "make clean      remove what was generated, never a course's records"

course: book release demo
	@echo
	@echo "The course is ready:"
	@echo "  the book          _build/html/index.html   (make serve shows it in a browser)"
	@echo "  for students      release/"
	@echo "  their feedback    build/demo/feedback/"
	@echo "  their marks       build/demo/grades.csv"

# Two processes share the tests, file by file. If one of them dies the run ends: pytest-xdist would wait for its last
# test for ever. nbval then runs every chapter and every solved lab, and compares what a chapter prints with what the book
# says.
TESTS := $(RUN) -m pytest --numprocesses 2 --max-worker-restart 0 --dist loadfile --no-loadscope-reorder

test: $(INSTALLED)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line ready
	SAMPLE=$(SAMPLE) $(TESTS)
	$(TESTS) --nbval-lax build/chapters build/solved

ready: lint solved demo fresh

fresh: $(INSTALLED) $(RELEASED)
	$(RUN) -m tools.book --fresh
	$(RUN) -m tools.notebooks

# The environment. It is made anew when a pin changes, so that nothing stays in it that the lock does not name. Only the
# very files are installed that were there when the pins were made, and none runs code of its own to be built.
venv: $(INSTALLED)

$(PINNED): requirements.lock pyproject.toml tools/check_python.py
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON): not found: install Python 3.11 to 3.13, or name one with make PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" tools/check_python.py
	@echo "Installing the pinned requirements into $(VENV)"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements.lock
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The last thing that it gets: a line for every nbgrader in it, so that each grades in the two rooms, whatever the folder.
$(INSTALLED): $(PINNED) grading/configuration.py
	@$(RUN) -m grading.configuration

# tools.book itself knows whether anything has changed; the site holds the released labs.
book: $(INSTALLED) $(RELEASED)
	@$(RUN) -m tools.book

release: $(RELEASED)

$(RELEASED): $(INSTALLED) $(LABS) $(KIT) $(GRADING)
	$(RUN) -m grading release
	@touch $@

solved: $(SOLVED)

$(SOLVED): $(INSTALLED) $(LABS) $(KIT) $(GRADING) $(SOLUTIONS)
	$(RUN) -m grading solved
	@touch $@

demo: $(GRADED)

$(GRADED): $(INSTALLED) $(LABS) $(KIT) $(GRADING) $(SOLUTIONS)
	$(RUN) -m grading demo
	@touch $@

notebooks: book
	@$(RUN) -m tools.notebooks

serve: book
	@$(RUN) -m tools.serve $(PORT)

lint: $(INSTALLED)
	@$(RUN) -m ruff check --quiet

bench: $(INSTALLED)
	$(RUN) -m tools.bench --large --out chapters/data/bench.json
	$(RUN) -m tools.bench_attention
	$(RUN) -m tools.bench_tiles

bench-large: $(INSTALLED)
	$(RUN) -m tools.bench --submissions 300 --feedback
	$(RUN) -m tools.bench --submissions 1000 --large

attacks: $(INSTALLED)
	$(RUN) -m tests.attacks.table

mutants: $(INSTALLED)
	$(RUN) -m tests.labs.mutation

artifacts: $(INSTALLED)
	$(RUN) -m solutions.artifacts

gates: $(INSTALLED)
	$(RUN) -m solutions.artifacts.gates

# JupyterHub in an environment of its own, and its proxy, which is Node's. The test adds three users to the system and
# takes them away again.
HUB := build/hub/.made

hub: $(HUB)
	$(RUN) -m pytest tests/hub --sample all

$(HUB): $(INSTALLED) requirements-hub.txt
	$(RUN) -m venv --clear build/hub/env
	grep -o '^[a-z].*[^ \\]' requirements.lock > build/hub/constraints.txt  # the pins alone: JupyterHub's own have no hashes
	build/hub/env/bin/python -m pip install --quiet --disable-pip-version-check --constraint build/hub/constraints.txt \
		--requirement requirements-hub.txt
	npm install --silent --no-audit --no-fund --prefix build/hub configurable-http-proxy@4.6.3  # newer ones want newer Node
	@touch $@

# One lock for every Python that the course runs on; a pin stays as it is until requirements.txt asks for another.
lock: $(INSTALLED)
	@$(RUN) -m pip install --quiet uv
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(RUN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --annotation-style line requirements.txt --output-file requirements.lock

# A course's gradebook.db, submitted/, autograded/ and feedback/ are not generated, and stay.
clean:
	rm -rf _build build release .pytest_cache .ruff_cache
	find coursekit grading solutions tests tools -name __pycache__ -prune -exec rm -rf {} +
