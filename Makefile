# Everything is run from here; each target does its own set-up into .venv.
.DEFAULT_GOAL := help
.PHONY: help demo test check bench prove console lock docs clean
PY := .venv/bin/python
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

demo: ## Turn the whole loop on real data and in the twin; report in demo/report.html
	@requirements/install core
	.venv/bin/regulars demo --dir demo --turns 12 --customers 20000 --seed 7

test: ## Run every test (what CI runs)
	@requirements/install dev
	@requirements/system-packages
	@requirements/client-packages
	@requirements/engine-packages
	$(PY) -m pytest -n 2 --dist loadfile

check: ## Format, lint, types, import directions, licences, house rules, documents
	@requirements/install dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m pytest tests/house

bench: ## Print speed ratios against peers, measured in the same run
	@requirements/install dev
	@requirements/peer-packages
	$(PY) benchmarks

prove: ## Run the reliability suites at full size and write the results into GUARANTEES.md
	@requirements/install dev
	@requirements/system-packages
	$(PY) tests/prove

console: ## Serve the console of the demo's workspaces
	@requirements/install core
	.venv/bin/regulars serve --dir demo --demo-user

lock: ## Pin the dependencies (needs uv); pins that still hold stay
	$(LOCK) --group build -o requirements/core.lock
	$(LOCK) --group build --group dev -c requirements/core.lock -o requirements/dev.lock

docs: ## Write the generated reference pages again
	@requirements/install dev
	$(PY) docs/reference/generate.py

clean: ## Remove the environment, the demo and every cache
	rm -rf .venv demo build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
