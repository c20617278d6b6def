# make demo   set up, run the main job in its quick form, name the report
# make test   set up, run the tests; make fast-test: those that take less than a second or so
PYTHON ?= python3.11
VENV := .venv
STAMP := $(VENV)/.installed
PYTEST := OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: demo test fast-test check clean

demo: $(STAMP)
	$(VENV)/bin/macro-ase run nbmota --quick --out runs/nbmota-quick
	@echo "The report: runs/nbmota-quick/report.html"

test: $(STAMP)
	$(PYTEST)

fast-test: $(STAMP)
	$(PYTEST) -m "not slow"

check: $(STAMP)
	$(VENV)/bin/ruff check macro_ase tests benchmarks tutorials
	$(VENV)/bin/ruff format --check macro_ase tests benchmarks tutorials
	$(VENV)/bin/mypy

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install -q -e '.[dev]'
	@touch $(STAMP)

clean:
	rm -rf $(VENV) runs
