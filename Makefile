PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RESIDENTS ?= 5000

.PHONY: install demo test check pins assets fmt docs bench

# Rebuilt when a pin changes; pip checks every hash.
$(VENV)/.installed: requirements/build.txt requirements/run.txt pyproject.toml package.json package-lock.json scripts/hatch_build.py scripts/compile_fhir.py
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "需要 Python 3.11 或更新 · Python 3.11 or newer is needed:  make $(or $(MAKECMDGOALS),install) PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -q --require-hashes -r requirements/build.txt
	$(BIN)/pip install --disable-pip-version-check -q --require-hashes -r requirements/run.txt
	$(BIN)/pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.tested: $(VENV)/.installed requirements/test.txt
	$(BIN)/pip install --disable-pip-version-check -q --require-hashes -r requirements/test.txt
	touch $@

install: $(VENV)/.installed

demo: install
	$(BIN)/xinglin demo --residents $(RESIDENTS) $(if $(FRESH),--fresh) $(if $(AS_OF),--as-of $(AS_OF))

test: $(VENV)/.tested
	$(BIN)/pytest -n auto --dist loadfile

check: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_budgets.py
	$(BIN)/python scripts/check_doors.py
	$(BIN)/python scripts/check_style.py
	$(BIN)/xinglin docs --check

docs: install
	$(BIN)/xinglin docs

fmt: $(VENV)/.tested
	$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

assets: install
	$(BIN)/python scripts/hatch_build.py

# Needs uv; writes hashed files that name no registry.
pins:
	for name in build run test; do uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 requirements/$$name.in -o requirements/$$name.txt; done
