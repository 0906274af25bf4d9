PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RESIDENTS ?= 5000
PIP := $(BIN)/pip install --disable-pip-version-check -q
OR_SAY := || { echo "安装没有完成，原因见上（常见：连不上软件包仓库、磁盘已满）；排除后再运行一次 · the installation did not finish, see above (often: the package registry cannot be reached, the disk is full); then run it again" >&2; exit 1; }

.PHONY: install demo test check pins assets fmt docs bench

# Rebuilt when a pin changes; pip checks every hash.
$(VENV)/.installed: requirements/build.txt requirements/run.txt pyproject.toml package.json package-lock.json scripts/hatch_build.py scripts/compile_fhir.py
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "需要 Python 3.11 或更新 · Python 3.11 or newer is needed:  make $(or $(MAKECMDGOALS),install) PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo pip install, some minutes the first time...
	@$(PIP) --require-hashes -r requirements/build.txt $(OR_SAY)
	@$(PIP) --require-hashes -r requirements/run.txt $(OR_SAY)
	@$(PIP) --no-deps --no-build-isolation -e . $(OR_SAY)
	touch $@

$(VENV)/.tested: $(VENV)/.installed requirements/test.txt
	@$(PIP) --require-hashes -r requirements/test.txt $(OR_SAY)
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
