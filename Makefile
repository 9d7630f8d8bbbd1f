# Everything runs in .venv, which each target builds by itself. Needed beforehand: GNU make and Python 3.11 or 3.12.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The uv found on the machine, otherwise a pinned one of our own. It must answer: a shim of a version manager may not.
UV_PIN := .ci/uv.txt
OWN_UV := .tools/uv/bin/uv
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv || echo $(OWN_UV))

READY := .venv/.made-from-lock
PYTHON := .venv/bin/python
DEMO := demo

# BottleCRM needs a newer Python than ours has to be: an environment of its own.
BOTTLECRM := .tools/bottlecrm
BOTTLECRM_PINS := tests/bottlecrm/requirements.txt
BOTTLECRM_READY := $(BOTTLECRM)/.made-from-pins

# What the cluster is tested with beside Spark: an environment of its own, since it wants other versions of what we use.
CLUSTER := .tools/cluster
CLUSTER_READY := $(CLUSTER)/.made-from-pins

KILLS := 500
RACES := 200
RECORDS := 100000
TAMPERED := 2000
# Tests that wait for systems beside ours: a scheduler's day, MLflow's page and its server of models, and fakes of CRMs that fail on purpose. They have a target of their own.
SYSTEMS := tests/pipelines/schedule/test_start.py tests/pipelines/schedule/test_page.py \
	tests/models/tracking/test_served.py tests/pipelines/prediction/training/test_mlflow_page.py \
	tests/pipelines/operations/delivery/test_reading_back.py $(wildcard tests/pipelines/operations/delivery/*/test_*.py) \
	$(wildcard tests/pipelines/data/fetching/test_*.py tests/pipelines/data/sources/database/test_*.py)
STOPS := 20
WORLDS := 4
CUSTOMERS := 500
ODDITIES := 3000

# Not one run talks to anybody unasked, and plots need no screen.
export MLFLOW_DISABLE_TELEMETRY := true
export MPLBACKEND := Agg

# What Python compiles, it keeps, away from the sources and the packages: where the machine forbids it
# (PYTHONDONTWRITEBYTECODE), each of the hundreds of processes that the tests start would compile MLflow and Ibis anew.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.tools/bytecode

.PHONY: help demo test histories torn words sentences layouts systems faults tampered deliveries crm bottlecrm cluster check docs notebooks bench install chromium postgres mariadb java format clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

demo: $(READY) ## real orders to scores, reasons and a report in the folder demo/
	.venv/bin/attrition init $(DEMO) --example cdnow
	.venv/bin/attrition run --project $(DEMO)

test: $(READY) ## run the tests (offline; some need Chromium, PostgreSQL, MariaDB, Java: make chromium postgres mariadb java)
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/faults --ignore tests/bottlecrm --ignore tests/cluster \
		$(addprefix --ignore ,$(SYSTEMS)) \
		$(ARGS)

histories: $(READY) ## deliver WORLDS random histories of each table, file after file: no snapshot before one may move
	WORLDS=$(WORLDS) $(PYTHON) -m pytest -n 2 tests/pipelines/foundation/storage/test_row_fates.py $(ARGS)

sentences: $(READY) ## hold every reason of CUSTOMERS of a company and of a shop against their exports; last line: counts
	$(PYTHON) -m tests.sentences --customers $(CUSTOMERS)

layouts: $(READY) ## walk each ready layout from a made-up export to its report by the README's commands; a line for each
	$(PYTHON) -m tests.layouts --customers 700 $(ARGS)

torn: $(READY) ## deliver WORLDS companies in torn exports: they are as in one clean delivery, or check names the table
	WORLDS=$(WORLDS) $(PYTHON) -m pytest -n 2 tests/pipelines/test_torn_deliveries.py $(ARGS)

words: $(READY) ## throw ODDITIES settings, command lines and files at every command: words, no traceback, no value of a row
	ODDITIES=$(ODDITIES) $(PYTHON) -m pytest tests/pipelines/test_plain_words.py $(ARGS)

systems: $(READY) ## run the tests that wait for other systems: a scheduler, fakes of CRMs and APIs, databases
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(SYSTEMS) $(ARGS)

faults: $(READY) ## kill, fill, lock and disconnect it; last line: what KILLS kills lost, doubled or left half (RACES, too)
	RACES=$(RACES) $(PYTHON) -m pytest tests/faults $(ARGS)
	$(PYTHON) -m tests.faults --kills $(KILLS)

tampered: $(READY) ## tamper with TAMPERED finished workspaces, each in another way; the last line is the counts
	$(PYTHON) -m tests.tampered --cases $(TAMPERED)

deliveries: $(READY) bottlecrm ## deliver RECORDS to each system while calls fail, killed STOPS times each; last line: verdict (needs PostgreSQL)
	$(PYTHON) -m tests.deliveries --records $(RECORDS) --stops $(STOPS)

crm: $(READY) bottlecrm ## deliver to BottleCRM itself, started here, and read it back (needs PostgreSQL)
	$(PYTHON) -m pytest tests/bottlecrm $(ARGS)

cluster: $(READY) $(CLUSTER_READY) java ## score on a cluster of Spark with two workers, and on Sail over a store of objects, all of them started here
	$(PYTHON) -m pytest tests/cluster $(ARGS)

# The examples of pipelines/explore/opened.py need a workspace: its tests run them.
check: $(READY) ## lock file, format, lint, types, doctests, documentation in step with the code
	$(UV) lock --check --offline --quiet
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(PYTHON) -m pytest -q --doctest-modules --ignore pipelines/explore/opened.py features models pipelines
	$(PYTHON) -m pipelines.docs.command_line --check
	$(PYTHON) -m pipelines.docs.tables --check
	$(PYTHON) -m pipelines.docs.settings --check
	$(PYTHON) -m pipelines.docs.catalog --check

docs: $(READY) ## build the site of docs/ and notebooks/ into site/; a link that leads nowhere ends it
	$(PYTHON) -m pipelines.docs.site

notebooks: $(READY) ## run the notebooks on the demo, a quarter of an hour, so that `make docs` shows what they show (make demo first)
	$(PYTHON) -m pipelines.docs.notebooks $(DEMO)

bench: $(READY) ## measure: quality beside published figures, and speed
	@$(PYTHON) -m benchmarks $(ARGS)

install: $(READY) ## only build the environment

format: $(READY) ## rewrite the sources as `make check` wants them
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

chromium: ## install Debian's Chromium, with which the tests open the report
	@if command -v chromium >/dev/null; then \
		chromium --version 2>/dev/null; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium; \
	else \
		echo "Chromium is missing: install it, on Debian with 'sudo apt-get install chromium'" >&2; exit 1; \
	fi

postgres: ## install Debian's PostgreSQL, on which the tests compute indicators, too
	@if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then \
		ls -d /usr/lib/postgresql/*; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql; \
	else \
		echo "PostgreSQL is missing: install it, on Debian with 'sudo apt-get install postgresql'" >&2; exit 1; \
	fi

mariadb: ## install Debian's MariaDB, from which the tests land rows, too
	@if [ -x /usr/sbin/mariadbd ]; then \
		/usr/sbin/mariadbd --version; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends mariadb-server; \
	else \
		echo "MariaDB is missing: install it, on Debian with 'sudo apt-get install mariadb-server'" >&2; exit 1; \
	fi

bottlecrm: $(BOTTLECRM_READY) ## build and check the environment of BottleCRM, against which the delivery is tested
	@cd $(BOTTLECRM) && SECRET_KEY=of-this-check-alone-and-long-enough-for-it DJANGO_SETTINGS_MODULE=crm.settings \
		bin/python -W ignore -m django check

$(BOTTLECRM_READY): $(BOTTLECRM_PINS) | $(UV)
	@for python in python3.12 "$$HOME"/.pyenv/versions/3.12*/bin/python \
		"$$($(UV) python find --no-python-downloads --no-project 3.12 2>/dev/null)"; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null && break || python=; \
	done; \
	if [ -z "$$python" ]; then \
		{ echo "!!!"; \
		echo "!!! DELIVERY TO BottleCRM CANNOT BE TESTED: it needs Python 3.12, and none on this machine answers."; \
		echo "!!! Install one: 'sudo apt-get install python3.12 python3.12-venv' where your Debian or Ubuntu has it,"; \
		echo "!!! otherwise '$(UV) python install 3.12' or 'pyenv install 3.12'; then run 'make bottlecrm' again."; \
		echo "!!!"; } >&2; exit 1; \
	fi; \
	$(UV) venv --quiet --clear --no-project --python "$$python" $(BOTTLECRM)
	$(UV) pip install --quiet --python $(BOTTLECRM)/bin/python --require-hashes --no-build --requirement $<
	@touch $@

$(CLUSTER_READY): tests/cluster/requirements.txt $(READY)
	$(UV) venv --quiet --clear --no-project --python $(PYTHON) $(CLUSTER)
	$(UV) pip install --quiet --python $(CLUSTER)/bin/python --require-hashes --no-build --requirement $<
	@touch $@

java: ## install Debian's Java, on which Spark runs
	@if command -v java >/dev/null; then \
		java -version 2>&1 | head -1; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
			openjdk-17-jre-headless; \
	else \
		echo "Java is missing: install it, on Debian with 'sudo apt-get install openjdk-17-jre-headless'" >&2; exit 1; \
	fi

clean: ## remove what can be made again (not workspaces)
	rm -rf .venv .tools site .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

$(READY): pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --only-group build --inexact
	$(UV) sync --frozen --all-groups --all-extras
	@touch $@

$(OWN_UV):
	@for python in python3.11 python3.12 python3; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break || python=; \
	done; \
	[ -n "$$python" ] || \
		{ echo "Python 3.11 or 3.12 is needed: on Debian 'sudo apt-get install python3 python3-venv'" >&2; exit 1; }; \
	"$$python" -m venv --clear .tools/uv || \
		{ echo "$$python cannot make virtual environments: on Debian 'sudo apt-get install python3-venv'" >&2; exit 1; }; \
	.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --only-binary :all: --requirement $(UV_PIN)
