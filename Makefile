# Lethe: `make demo` sets everything up and runs the service; `make test` sets everything up and runs the tests.
PYTHON ?= python3
PORT ?= 8000
FILES ?= 100000
EXAMPLES ?= 300
OUT ?= screenshots
SEED ?= 1
# These break, fill and time a whole machine: one after the other, with nothing beside them.
ALONE := tests/chaos tests/hostile
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test lint reference attacks attacks-long fuzz contract screenshots chaos load pages servers sandbox-image clean system-demo system-test
.DEFAULT_GOAL := help

help:
	@echo "make demo            set up, prepare the digits competition, start web and worker (PORT=8000)"
	@echo "make demo CHECK=1    the same, then submit the example bundles, print the leaderboard, stop"
	@echo "make test            set up and run linters, types and tests"
	@echo "make lint            ruff and mypy alone"
	@echo "make attacks         attack the sandboxes, the door and the grader; print what came of it"
	@echo "make attacks-long    the same, each attack 20 times (ATTACK_REPEATS=20)"
	@echo "make fuzz            read 100,000 mutated files of each kind (FILES=100000 SEED=1)"
	@echo "make contract        ask the API 300 things of each kind that its description allows and forbids (EXAMPLES=300)"
	@echo "make screenshots     take pictures of every page for everybody, light and dark, wide and narrow (OUT=screenshots)"
	@echo "make chaos           kill, pause, cut and fill everything in the middle of 700 submissions; print what came of it"
	@echo "make load            print how much one web process serves beside a bare endpoint (minutes; on a quiet machine)"
	@echo "make pages           print what each page weighs and takes"
	@echo "make servers         as root: prepare and start everything with Docker Compose"
	@echo "make sandbox-image   build the image for Docker sandboxes and print its digest"
	@echo "make reference       write docs/reference/ from the code"
	@echo "make clean           remove the virtual environment and caches (var/, the service's data, stays)"

demo: system-demo $(VENV)/.installed
	@$(BIN)/lethe up --port $(PORT) $(if $(CHECK),--check,|| [ $$? -eq 130 ])

test: system-test $(VENV)/.installed-dev lint
	sh .ci/with-docker sh -ec '$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ALONE:%=--ignore=%); $(BIN)/pytest $(ALONE)'

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

chaos: system-test $(VENV)/.installed-dev
	$(BIN)/python -m tests.chaos --seed $(SEED)

load: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/service.py

reference: $(VENV)/.installed-dev
	$(BIN)/python -m tools.reference

pages: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/pages.py

servers:
	deploy/prepare $(if $(DEBOOTSTRAP),--debootstrap)
	$$(docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose) up -d

system-demo:
	@sh .ci/system-packages bwrap:bubblewrap

system-test:
	@sh .ci/system-packages bwrap:bubblewrap chromium:chromium pg_ctlcluster:postgresql dockerd:docker.io debootstrap:debootstrap \
	  docker-compose:docker-compose redis-server:redis-server

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Lethe needs Python 3.11 or newer; $(PYTHON) is older: try make PYTHON=python3.11 demo"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv module is incomplete: install it (on Debian: apt install python3-venv)"; exit 1; }

# One constraints file pins every package of the service and its tests.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

attacks: system-test $(VENV)/.installed-dev
	sh .ci/with-docker $(BIN)/pytest tests/hostile

attacks-long: export ATTACK_REPEATS ?= 20
attacks-long: attacks

fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz --files $(FILES) --seed $(SEED)

screenshots: system-test $(VENV)/.installed-dev
	$(BIN)/python -m tests.browser.screenshots $(OUT)

contract: export LETHE_CONTRACT_EXAMPLES = $(EXAMPLES)
contract: $(VENV)/.installed-dev
	$(BIN)/pytest tests/app/routes/test_api_contract.py

# Needs a Docker daemon, and builds on BASE (a Python image from a registry) unless DEBOOTSTRAP=1.
sandbox-image:
	@PYTHON=$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) worker/build-image $(if $(DEBOOTSTRAP),--debootstrap) sandbox

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
