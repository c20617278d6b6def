# make demo   set up, run the main job in its quick form, name the report
# make test   set up, run the tests; make fast-test: those that take half a second or less
# make docs   set up, run tutorials and gallery, build the site
# make release-check   whether this tree can be released
# Any Python from 3.11 on is found; PYTHON=python3.12 names one.
VENV := .venv
STAMP := $(VENV)/.installed
SITE := docs/conf.py docs/_ext docs/gallery
PYTEST := OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: demo test fast-test docs check release-check clean

demo: $(STAMP)
	$(VENV)/bin/macro-ase run nbmota --quick --out runs/nbmota-quick
	@echo "The report: runs/nbmota-quick/report.html"

test: $(STAMP)
	$(PYTEST)

fast-test: $(STAMP)
	$(PYTEST) -m "not slow"

docs: $(VENV)/.docs
	$(VENV)/bin/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "The site: docs/_build/html/index.html"

check: $(STAMP)
	$(VENV)/bin/ruff check macro_ase tests benchmarks tutorials $(SITE)
	$(VENV)/bin/ruff format --check macro_ase tests benchmarks tutorials $(SITE)
	$(VENV)/bin/mypy

$(STAMP): pyproject.toml
	python="$$(sh .ci/python $(PYTHON))" && "$$python" -m venv $(VENV)
	$(VENV)/bin/python -m pip install -q --no-compile -e '.[dev]'
	@touch $(STAMP)

$(VENV)/.docs: $(STAMP)
	$(VENV)/bin/python -m pip install -q --no-compile -e '.[docs]'
	@touch $(VENV)/.docs

release-check:
	bash .ci/release

clean:
	rm -rf $(VENV) runs docs/_build
