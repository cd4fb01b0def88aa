# Everything one can do here. `make` alone lists it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
FLASK  := $(BIN)/flask --app wsgi
PORT   ?= 8000
export PORT
WORDS  := cms/translations/zh_Hans_CN/LC_MESSAGES/messages.mo
# Two test processes on two cores: threads inside the linear algebra would only fight.
PYTEST := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q
# Each takes a half in order, so that what a file sets up is set up once; who is done first takes from the other.
BY_TWO := -n 2 --dist worksteal
QUICK  := not processes and not browser and not chaos
BABEL  := $(BIN)/python -m babel.messages.frontend
POT    := cms/translations/messages.pot
LOCK   := $(BIN)/uv pip compile pyproject.toml -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11.5
ON_POSTGRES := tests/core tests/accounts tests/audience tests/content_library tests/schedules tests/feedback tests/web

.DEFAULT_GOAL := help
.PHONY: help setup run dev test check bench chaos screenshots words lock clean

help: ## List what can be done
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/run.stamp $(WORDS) ## Make the virtual environment and install what running needs

run: $(VENV)/run.stamp $(WORDS) ## Start everything and print the address (PORT=8000, SEEDBED_HOME=var)
	@exec $(FLASK) up

dev: $(VENV)/dev.stamp ## Install what testing needs as well

test: $(VENV)/dev.stamp $(WORDS) ## Install missing system parts (as root) and run every test
	@$(PYTHON) tests/system_parts.py
	@echo "— behaviour and guards, on SQLite"
	@$(PYTEST) $(BY_TWO) -m "$(QUICK)"
	@echo "— behaviour, on PostgreSQL"
	@$(PYTEST) $(BY_TWO) -m "$(QUICK) and not wire" --database postgresql $(ON_POSTGRES)
	@echo "— real processes, real browser, real kills"
	@$(PYTEST) --durations=8 -m "processes or browser or chaos"

check: $(VENV)/dev.stamp ## Format, lint, types and floors
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/dev.stamp ## Measure search, links, board, publishing and start-up
	@$(BIN)/python -m bench

chaos: $(VENV)/dev.stamp ## Kill and freeze at random, cut hosts off, count what was lost or doubled (2 hours)
	@$(BIN)/python -m pytest tests/chaos -m chaos
	@$(BIN)/python -m tests.chaos.many --keep
	@$(BIN)/python -m tests.chaos.campaign --database sqlite --pace 0.6 --keep
	@$(BIN)/python -m tests.chaos.campaign --database postgresql --pace 0.6 --keep

screenshots: $(VENV)/dev.stamp ## Make the pictures in the docs from the demo world
	@$(BIN)/python -m tests.browser.screenshots

words: $(VENV)/dev.stamp ## Gather new words into the Chinese catalogue
	@$(BABEL) -q extract -F babel.cfg -k N_ -k NotFound -k lazy_gettext -o $(POT) --sort-output --no-location --omit-header .
	@$(BABEL) -q update -i $(POT) -o $(WORDS:.mo=.po) -l zh_Hans_CN --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@rm -f $(POT)

lock: $(VENV)/dev.stamp ## Resolve dependencies anew and lock them with hashes
	@$(BIN)/python -m pip install -q uv
	@$(LOCK) -o requirements/run.txt
	@$(LOCK) --group dev -c requirements/run.txt -o requirements/dev.txt

clean: ## Remove the virtual environment and caches; the data directory stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(WORDS): cms/translations/zh_Hans_CN/LC_MESSAGES/messages.po $(VENV)/run.stamp
	@$(BABEL) -q compile -l zh_Hans_CN -i $< -o $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5))' 2>/dev/null || { \
	  echo "Seedbed needs Python 3.11.5 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	  echo "Install one, or name it: make run PYTHON=python3.12"; exit 1; }
	@echo "Making the virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; \
	  rm -rf $(VENV); exit 1; }

$(VENV)/run.stamp: requirements/run.txt | $(BIN)/python
	@echo "Installing what Seedbed needs (once; about 200 MB) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
