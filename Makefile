# make help lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints/py311-cpu.txt
GENERATE_EXTRAS := llm,train,mujoco,maniskill
ARGS ?= --env ManiSkill
SUITE ?= quick
WORKERS ?= 2
COMPAT := compat-1.1.1 compat-1.4.0

.PHONY: help generate bench test lint types layers compat $(COMPAT) locked docs clean engines contracts

help:  ## List the targets.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.generate: $(BIN)/python pyproject.toml $(CONSTRAINTS)
	$(BIN)/python -m pip install --quiet -c $(CONSTRAINTS) -e '.[$(GENERATE_EXTRAS)]'
	@# OpenCV's usual build needs libGL, which servers and containers may lack.
	$(BIN)/python -c 'import cv2' 2> /dev/null || $(BIN)/python -m pip install --quiet \
	    -c $(CONSTRAINTS) --force-reinstall --no-deps opencv-python-headless
	touch $@

$(VENV)/.test: $(VENV)/.generate
	$(BIN)/python -m pip install --quiet -c $(CONSTRAINTS) -e '.[$(GENERATE_EXTRAS),robotics,metaworld,nethack,data,report,watch,verify,ray,qd,docs,dev]'
	touch $@

$(VENV)/.docs: $(BIN)/python pyproject.toml $(CONSTRAINTS)
	$(BIN)/python -m pip install --quiet -c $(CONSTRAINTS) -e '.[docs]'
	touch $@

generate: $(VENV)/.generate  ## Install and generate a reward; ARGS="--env Hopper-v5" passes options on.
	$(BIN)/reward_synth generate $(ARGS)

bench: $(VENV)/.test  ## Install and compare rewards on a suite; SUITE=quick is the default.
	$(BIN)/reward_synth bench $(SUITE)

test: $(VENV)/.test  ## Install, lint, type-check and run every test; WORKERS=2 at a time.
	$(MAKE) --jobs=$(WORKERS) --output-sync=target lint types layers compat
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=worksteal \
	    --doctest-modules reward_synth tests \
	    --cov --cov-report=term:skip-covered --cov-fail-under=85

lint: $(VENV)/.test  ## Style and import layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test  ## mypy, strict.
	$(BIN)/mypy

layers: $(VENV)/.test  ## Each layer imports only from below.
	$(BIN)/lint-imports

compat: $(COMPAT)  ## The wrapper's tests on the oldest and the newest Gymnasium.

$(COMPAT): compat-%: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --no-deps --upgrade \
	    --target .compat/gymnasium-$* gymnasium==$*
	PYTHONPATH=.compat/gymnasium-$* $(BIN)/python -m pytest -q \
	    tests/wrappers -p no:cacheprovider

engines: $(VENV)/.test  ## Test the client against real engines, in environments of their own.
	.ci/engines/run

contracts:  ## Test the adapters against the real trainers, in environments of their own.
	tests/contracts/run

locked: $(BIN)/python  ## Install everything by digest; what has another is refused.
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps \
	    -r constraints/py311-cpu.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .

docs: $(VENV)/.docs  ## Build the documentation as a site in site/.
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs site
	@echo "Open site/index.html"

clean:  ## Remove what the targets made, but no runs.
	rm -rf $(VENV) .compat .engines .contracts build dist site *.egg-info
