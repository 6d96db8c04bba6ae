# `make` lists what there is. Every command does its own set-up; see requirements/install.sh for how.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

HOST ?= 127.0.0.1
PORT ?= 8000
VENV ?= .venv
PYTHON ?=
# Further words for the command behind a target: make serve ARGS="--latency 80ms --fail crm=503"
ARGS ?=

PY := $(VENV)/bin/python
PYBABEL := $(VENV)/bin/pybabel --quiet
PACKAGES := gateway schema connectors sandbox
LANGUAGES := es pt
CATALOGUES := schema/locale
GRAPHIQL := gateway/http/graphiql/src

# One file for every supported Python and platform (--universal), and nothing in it that says where it was made.
UPGRADE ?= --upgrade
COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-config --no-header --no-annotate --no-emit-index-url --no-emit-find-links

export VENV PYTHON

.PHONY: help
help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) \
		| while IFS='|' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

.PHONY: serve
serve: .run ## Serve the portal's graph and its sandbox (PORT=8000 HOST=127.0.0.1)
	@exec $(PY) -m gateway serve --host $(HOST) --port $(PORT) $(ARGS)

.PHONY: test
test: lint types ## Check style, types and import law, then run the tests
	$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

.PHONY: lint
lint: .dev ## Check style, format and import law
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/lint-imports --no-logo --config .ci/knots.toml

.PHONY: types
types: .dev ## Check types
	$(PY) -m mypy

.PHONY: test-live
test-live: .dev ## Test against real systems, installed and booted here
	$(PY) -m tests.live $(ARGS)

.PHONY: bench
bench: .dev ## Measure what things cost on this machine, and our gateway beside its peers (needs wrk)
	@$(PY) -m bench.verify
	@$(PY) -m bench.execution
	@$(PY) -m bench.wire
	@$(PY) -m bench.records
	@$(PY) -m bench.fuzz
	@$(PY) -m bench.uploads
	@$(PY) -m bench.slow_clients
	@$(PY) -m bench.followers
	@$(PY) -m bench.start
	@$(PY) -m bench.crowd
	@$(PY) -m bench.documents
	@$(PY) -m bench.gateways $(ARGS)

.PHONY: sandbox-reset
sandbox-reset: .run ## Give the sandbox its first data again
	$(PY) -m gateway sandbox reset

.PHONY: schema
schema: .run ## Print the schema into schema.graphql
	$(PY) -m gateway schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

# Texts are marked by N_("…") or said by context.say("…"). English is what stands in the code.
.PHONY: messages
messages: .run ## Bring the catalogues of texts for people up to what stands in the code
	$(PYBABEL) extract --keyword say --sort-by-file --no-wrap --add-location file \
		--project portal-gateway --output $(CATALOGUES)/portal.pot gateway schema
	for language in $(LANGUAGES); do \
		$(PYBABEL) update --init-missing --locale $$language --domain portal --no-wrap \
			--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \
			--input-file $(CATALOGUES)/portal.pot --output-dir $(CATALOGUES) || exit; \
	done
	rm $(CATALOGUES)/portal.pot

.PHONY: graphiql
graphiql: ## Build GraphiQL into the package (needs node and npm)
	cd $(GRAPHIQL) && npm ci --no-audit --no-fund && npm run build

.PHONY: lock
lock: .dev ## Renew the pinned versions and hashes (UPGRADE= keeps the versions that still fit)
	$(COMPILE) $(UPGRADE) --output-file requirements/run.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --output-file requirements/dev.txt --extra dev --constraints requirements/run.txt pyproject.toml
	for system in tests/live/*/requirements.in; do \
		$(COMPILE) $(UPGRADE) --output-file $${system%.in}.txt $$system || exit; \
	done

.PHONY: clean
clean: ## Remove what make created (the sandbox's data stay)
	rm -rf $(VENV) .live build *.egg-info $(GRAPHIQL)/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(PACKAGES) tests -name __pycache__ -prune -exec rm -rf {} +

.PHONY: .run .dev
.run .dev:
	@requirements/install.sh $(subst .,,$@)
