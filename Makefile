# `make demo` and `make test` are each the only command needed on a fresh machine.
.DEFAULT_GOAL := help
.PHONY: help install demo test check evidence peers bench gpu gpu-test gpu-bench format clean new-venv

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' Makefile | while read -r name text; \
	    do printf 'make %-10s %s\n' "$$name" "$$text"; done

install: $(STAMP)  ## make .venv with the pinned packages and this one, editable

demo: install  ## run the tour of the library
	@$(PY) examples/demo.py

test: install  ## run all tests and doctests
	$(ONE_THREAD) $(PY) -m pytest -n 2 --dist worksteal

check: install  ## check format, lint, types and layers
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m pyright
	$(VENV)/bin/lint-imports

evidence: install  ## measure what the docs claim, and write docs/evidence.md
	$(PY) benchmarks/evidence.py

peers: install  ## install the libraries that `make bench` compares with
	$(PY) -m pip install --quiet -c constraints.txt -e ".[test,peers]"

bench: install  ## time the kernels beside other libraries, and write docs/performance.md
	$(PY) -m benchmarks.run
	$(PY) -m benchmarks.report

gpu: install  ## install CuPy, for a machine with an NVIDIA card
	$(PY) -m pip install --quiet -c constraints.txt -e ".[test,gpu]"

gpu-test: gpu  ## on the card: conformance, the same chains as on the processor, exact values
	$(PY) -m pytest tests/backends/test_card.py tests/backends/test_card_bits.py \
	    tests/backends/test_trajectories.py -k "card or cupy"

gpu-bench: gpu  ## time the kernels on the card, and write benchmarks/results/gpu-*.json
	$(PY) -m benchmarks.gpu

format: install  ## format the code and mend what ruff can
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

clean:  ## remove .venv and all that was built
	rm -rf $(VENV) build dist *.egg-info .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A python3.13 on the PATH may be a shim that fails, so each name is tried; the probe prints the path
# of the Python behind it.
PROBE := import ensurepip, sys, venv; assert sys.version_info >= (3, 12); print(sys.executable)
new-venv:
	@rm -rf $(VENV)
	@for name in $(PYTHON) python3.13 python3 python3.12; do \
	    python=$$("$$name" -c '$(PROBE)' 2>/dev/null) && break; \
	    python=$$(PYENV_VERSION=$${name#python} "$$name" -c '$(PROBE)' 2>/dev/null) && break; \
	done; \
	if [ -n "$$python" ]; then echo "Making $(VENV) with $$python"; "$$python" -m venv $(VENV); \
	elif command -v uv >/dev/null; then uv venv --quiet --python 3.13 --seed $(VENV); \
	else echo "No Python 3.12 or newer (with its venv module) was found: install Python 3.13, or uv," \
	    "or name one: make install PYTHON=path/to/python3.13" >&2; exit 1; fi

# The stamp is written last and holds the path of this folder. A venv without it, one that was moved
# and one whose Python has gone are made anew; one older than these files is updated.
ifneq ($(shell $(PY) -c '' 2>/dev/null && cat $(STAMP) 2>/dev/null),$(CURDIR))
$(STAMP): new-venv
endif
$(STAMP): pyproject.toml constraints.txt .python-version
	@rm -f $@
	@echo "Installing the pinned packages into $(VENV): about 1 GB, a few minutes the first time"
	@$(PY) -m pip install --quiet -c constraints.txt -e ".[test]"
	@$(PY) -m compileall -qq -j 0 $(VENV)/lib || true
	@echo "$(CURDIR)" > $@
