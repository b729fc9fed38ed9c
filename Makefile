# The targets; `make` alone lists them.
PORT ?= 8000
DATA ?= var
TLS ?=
export FIELDAPP_PORT = $(PORT)
export FIELDAPP_DATA = $(DATA)
# Where it is set, each process compiles anew all that it imports: twice the CPU for each start of ours.
unexport PYTHONDONTWRITEBYTECODE
PYTHON3 ?= python3
BIN = .venv/bin
NODE = $(BIN)/python tools/with_node.py

.DEFAULT_GOAL := help
.PHONY: help run build test check test-pure bench forms translations migration format hooks lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## set up what running needs: Python packages, translations, the phone app
	@$(PYTHON3) tools/bootstrap.py run

run: build ## set everything up and serve on http://localhost:8000 (PORT=, DATA=, TLS=1 for real phones)
	@$(BIN)/fieldapp run --demo $(if $(TLS),--tls)

.PHONY: dev
dev: ## set up what tests need
	@$(PYTHON3) tools/bootstrap.py dev

test: dev ## lint, types, imports, then all tests: both databases, real browser
	@$(MAKE) --no-print-directory --jobs 2 quick client-check client-test
	@$(BIN)/python tools/chromium.py
	@$(BIN)/pytest tests -q -n auto --dist loadgroup --ignore=tests/engines

.PHONY: other-browsers
other-browsers: dev ## the offline core in Firefox and WebKitGTK (says which packages it needs)
	@$(BIN)/pytest tests/engines/test_offline_core.py -q -n 0

.PHONY: collect
collect: dev ## forms fetched, filled in by ODK Collect's engine and sent (needs Java)
	@$(BIN)/pytest tests/engines/test_collect.py -q -n 0

# What starts processes or uses over 1 s of CPU is marked slow; tests/inner_loop.py fails what should be and is not.
QUICK = tests/forms tests/sync tests/evaluator_export tests/conformance tests/house

.PHONY: quick
quick: dev ## format, lint, types and imports of Python, in a second or two
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python tools/style.py

.PHONY: client-check client-test
client-check: dev
	@$(NODE) npm --prefix client run --silent check

client-test: dev
	@$(NODE) npm --prefix client test --silent

.PHONY: style-baseline
style-baseline: dev ## after a clean-up: write the smaller counts of what makes code slow to read
	@$(BIN)/python tools/style.py --lower

check: dev ## lint, types, imports, the client's unit tests and the quick tests: about 20 s of CPU once warm
	@$(MAKE) --no-print-directory --jobs 2 quick client-check
	@$(NODE) npm --prefix client test --silent -- --changed
	@$(BIN)/pytest -q -m "not slow" $(QUICK)

.PHONY: chaos
SEED ?=
OPS ?= 10000
DB ?= sqlite
PLACE ?= sftp
BURNS ?= 0.1
chaos: dev ## phones with real logic, a server killed or burnt at random, a bad network (SEED=, OPS=, DB=postgresql, PLACE=folder)
	@$(BIN)/python -m tests.chaos.harness $(if $(SEED),--seed $(SEED)) --operations $(OPS) --database $(DB) --place $(PLACE) --burns $(BURNS)

bench: dev ## measure, and print each figure beside its floor or peer
	@$(BIN)/python -m bench

forms: dev ## write the program's workbooks from their sources
	@$(BIN)/python tools/build_forms.py

.PHONY: vectors goldens forms-support outside-forms
vectors: dev ## run a file of vectors through both evaluators (FILE=vectors.json)
	@$(BIN)/python -m tests.conformance $(FILE)

goldens: dev ## ask two other engines what they make of our vectors (needs Java, npm, Chromium)
	@$(BIN)/python -m tools.goldens

.PHONY: licences wheel sbom audit
licences: dev ## write docs/licences.md from what is installed
	@$(BIN)/python tools/licences.py

sbom: dev ## write build/sbom.cdx.json, what the product is made of (CycloneDX)
	@$(BIN)/python -m tools.sbom

audit: dev ## ask the advisory services about the locked packages (needs the network)
	@$(BIN)/python -m tools.audit

wheel: dev ## build what can be installed elsewhere, into build/wheel
	@rm -rf build && $(BIN)/python -m pip wheel -q --no-build-isolation --no-deps -w build/wheel .

forms-support: dev ## write docs/forms-support.md from the code
	@$(BIN)/python tools/forms_support.py

outside-forms: dev ## take in every form of pyxform's own tests, and say what becomes of each
	@$(BIN)/python tools/outside_forms.py $(if $(VERBOSE),--verbose)

translations: dev ## collect new words into the catalogues; write docs/problems.md and docs/words.md
	@$(BIN)/python tools/catalogues.py update
	@$(BIN)/python tools/problems_page.py
	@$(BIN)/python tools/words_page.py

migration: dev ## write a migration from the tables (M="what changes")
	@$(BIN)/python tools/migration.py "$(M)"

format: dev ## put the code in its standard form
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .
	@$(NODE) npm --prefix client run --silent format

hooks: ## let git run `make quick` before each commit
	@printf '#!/bin/sh\nexec make quick\n' > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit

lock: dev ## bring the lock files up to date with pyproject.toml
	@$(BIN)/python tools/lock.py

clean: ## remove everything that can be made again (data stays)
	@rm -rf .venv client/node_modules client/build static/dist .mypy_cache .ruff_cache .pytest_cache
