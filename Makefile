# `make` alone lists the targets. Each sets up what it needs: Python 3.13 (or uv with a Python 3.13), make and git are enough.

UV_VERSION := 0.13.9
UV := $(or $(shell command -v uv 2>/dev/null),$(CURDIR)/.tools/bin/uv)
PYTHON = $(shell for python in python3.13 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && command -v $$python && break; done)
NO_PYTHON := Muster needs Python 3.13 and found none: install it (with pyenv, uv or from python.org, say), then run make again.

export UV
export UV_PYTHON_DOWNLOADS := never
# The certificates this machine trusts, so that a company's own proxy is trusted too.
export UV_SYSTEM_CERTS := 1
export SAM_CLI_TELEMETRY := 0
# Whatever the machine says: code is compiled once, not by each of the many processes of tests and the local stack.
export PYTHONDONTWRITEBYTECODE :=
export PATH := $(CURDIR)/.venv/bin:$(PATH)
unexport VIRTUAL_ENV
IN_VENV := .venv/bin/
# A second SCIM server for the simulations, where this machine has node.
SCIMMY := $(if $(and $(shell command -v node 2>/dev/null),$(shell command -v npm 2>/dev/null)),tests/integration/scimmy/node_modules/.package-lock.json)

.PHONY: help setup demo test check up people down bench simulate build deploy format

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/ready ## Install what is locked (the other targets do this by themselves)
	@:

demo: setup ## Show Muster from end to end on this machine, in one to two minutes (KEEP=1 leaves it running)
	@$(IN_VENV)python -m sandbox.demo

test: setup ## Run the tests
	@$(IN_VENV)python -m pytest --quiet --numprocesses auto --dist loadgroup --no-loadscope-reorder -m "not long"

check: setup ## Check format, style, types and the template
	@echo "Checking format, style, types and the template …"
	@$(IN_VENV)ruff format --check --quiet . || { echo "Not formatted; run: make format"; exit 1; }
	@$(IN_VENV)ruff check --quiet .
	@# Beside each other: types take longest.
	@$(IN_VENV)sam validate & $(IN_VENV)mypy functions muster_cli sandbox tests; types=$$?; wait $$! && exit $$types

up: setup ## Start the local stack: Muster on an AWS emulator beside a sandbox Salesforce, Vault CRM and SCIM app (STACK=name for another)
	@$(IN_VENV)python -m sandbox.local_stack up

people: setup ## Bring 61 people into what `make up` started, and connect the SCIM app, to be filled by an import and a push
	@$(IN_VENV)python -m sandbox.local_stack people

down: setup ## End what `make up` started
	@$(IN_VENV)python -m sandbox.local_stack down

bench: setup ## Measure speed and cost, in less than fifteen minutes
	@$(IN_VENV)python -m tests.benchmarks

simulate: setup $(SCIMMY) ## Run this week's share of the long simulations of faults, races and crashes (SHARE=3 another, SHARE=all all)
	@SHARE=$(SHARE) $(IN_VENV)python -m pytest --quiet -rs --numprocesses auto --dist worksteal -m long tests/integration tests/simulation

build: setup ## Build what is deployed, into .aws-sam/build
	@$(IN_VENV)sam build
	@$(IN_VENV)python -m compileall -q --invalidation-mode unchecked-hash .aws-sam/build

deploy: build ## Deploy to AWS with your own AWS profile; shows the changes and asks first
	@$(IN_VENV)sam deploy

format: setup ## Format the code
	@$(IN_VENV)ruff format --quiet . && $(IN_VENV)ruff check --quiet --fix .

.venv/ready: uv.lock pyproject.toml | $(UV)
	@$(UV) python find 3.13 >/dev/null 2>&1 || { echo "$(NO_PYTHON)"; exit 1; }
	@echo "Installing the locked packages into .venv (once, about a minute) …"
	@$(UV) sync --frozen --quiet && touch $@

tests/integration/scimmy/node_modules/.package-lock.json: tests/integration/scimmy/package-lock.json
	@echo "Installing the locked packages of SCIMMY (once, some seconds) …"
	@npm ci --prefix $(<D) --silent --no-audit --no-fund --ignore-scripts && touch $@

$(CURDIR)/.tools/bin/uv:
	@test -n "$(PYTHON)" || { echo "$(NO_PYTHON)"; exit 1; }
	@echo "Installing uv $(UV_VERSION) into .tools …"
	@$(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
