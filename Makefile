# `make demo` and `make test` do all the set-up they need: Python 3.11 or newer and make are enough.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint types golden check fit people recorded halves bench bench-asking bench-golden bench-audit bench-training bench-ope findings clean

demo: $(VENV)/.project
	$(BIN)/judge score examples/collections.jsonl

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

# The project's own judges on the golden set: the embedded one is unchanged, a recorded one passes. No key.
GOLDEN := $(BIN)/judge golden check --ledger build/golden.db
golden: $(VENV)/.dev
	@mkdir -p build
	for rubric in collections support sales; do \
	  $(GOLDEN) --rubric $$rubric --gate regression --report build/golden/$$rubric || exit 1; \
	done
	$(GOLDEN) --judge replay:tests/golden_set/recordings/rehearsed.jsonl --baseline tests/golden_set/recordings/baseline.json \
	  --report build/golden/recorded

check: test lint types golden

# Fit the embedded judge anew, and report how it agrees with people (DATA: a folder of rated dialogues).
fit: $(VENV)/.dev
	$(BIN)/python judge/training/fit.py
DATA ?= ../shared/data
people: $(VENV)/.dev
	$(BIN)/python -m reports.people $(DATA)

# What the golden gate says of real recorded judges (DATA: a folder of their ratings).
recorded: $(VENV)/.dev
	$(BIN)/python -m reports.recorded $(DATA)

# What a calibration and estimates from both judge and people are worth on real ratings (DATA: the same folder; some minutes).
halves: $(VENV)/.dev
	$(BIN)/python -m reports.halves $(DATA)

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/score.py

# Asking language models (a fake provider on this machine): speed beside a raw client, and what faults and kills cost.
bench-asking: $(VENV)/.dev
	$(BIN)/python benchmarks/asking.py
	$(BIN)/python benchmarks/faults.py

# How often gate, monitor and variance components are right, by simulation (some minutes each).
bench-golden: $(VENV)/.dev
	$(BIN)/python -m golden_set.simulation
	$(BIN)/python -m golden_set.simulation_nights
	$(BIN)/python -m golden_set.simulation_variance

# The same for audits: coverage, gain, rare events, calibration.
bench-audit: $(VENV)/.dev
	$(BIN)/python -m golden_set.audit.simulation
	$(BIN)/python -m golden_set.audit.simulation_calibration

# Learners beside Stable-Baselines3 and a dictionary Q-learning loop, in one run (about 10 minutes).
bench-training: $(VENV)/.dev
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/tables.py

# Off-policy evaluation: its speed, and how often its intervals and the deploy gate are right (some minutes each).
bench-ope: $(VENV)/.dev
	$(BIN)/python benchmarks/ope.py
	$(BIN)/python -m policies.ope.simulation
	$(BIN)/python -m policies.ope.simulation_deploy
	$(BIN)/python -m reports.judge_error

# Three published findings, put to the test; pictures and tables in build/findings.
findings: $(VENV)/.dev
	$(BIN)/python -m reports.findings --out build/findings

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "judge needs Python 3.11 or newer; this is `$(PYTHON) --version`: name another with make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "cannot create $(VENV): install Python's venv module (Debian: apt-get install python3-venv)"; exit 1; }

$(VENV)/.project: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/.project
