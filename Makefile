# inference-harness: each target is one command for a person and for CI. `make` alone lists them.
PYTHON ?= python3
GATE_OPTIONS ?=
PROOF_GATES ?= 5
PROOF_RUNS ?= 20
PROOF_CHAOS ?= 10
PROOF_LOAD ?= 10
PROOF_KILLS ?= 30
ROWS ?=

export PYTHON PROOF_RUNS PROOF_CHAOS PROOF_LOAD PROOF_KILLS
# Hundreds of runs of pytest read the same modules: compiled once, whatever the shell was told.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
PART := @.ci/part
# A recorded series beside the project, where there is one, is replayed in place of generated prices.
HISTORY := $(wildcard ../shared/data/btc_1s_ohlcv.csv)
GATE = $(BIN)/harness gate $(if $(HISTORY),--sut-history $(HISTORY)) --report-dir reports/gate $(GATE_OPTIONS)

# Many wait for a moment: two processes more than a small machine has cores; what a file shares is made once.
SPREAD := -n 4 --dist loadfile
# Bad data sets and models need no Docker: they spread too.
AUDITS := tests/detection/audits

.DEFAULT_GOAL := help
.PHONY: help venv setup doctor gate test parts-of-test unit lint demo-jump proof parts-of-proof lock bench table clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv:
	@.ci/venv

setup: venv ## Python packages, Docker engine, base image, reference image: made where missing
	$(PART) "Set-up: engine and images" $(BIN)/harness setup

doctor: venv ## What is there, what is missing, and the command that mends it
	@$(BIN)/harness doctor

gate: venv ## The verdict on an image (GATE_OPTIONS="--sut-image IMAGE"; the reference container by default)
	@$(GATE)

test: ## Set-up, unit tests, the four suites on the reference container, detection of the seeded defects
	$(PART) "make test" $(MAKE) --no-print-directory parts-of-test

parts-of-test:
	$(PART) "Set-up: Python packages" .ci/venv
	$(PART) "Set-up: engine and images" $(BIN)/harness setup
	$(PART) "Unit tests" $(BIN)/python -m pytest $(SPREAD) tests/unit
	$(PART) "The four suites on the reference container" $(GATE)
	$(PART) "Detection: each bad data set and each bad model is found" $(BIN)/python -m pytest $(SPREAD) $(AUDITS)
	$(PART) "Detection: each seeded defect is caught, by the rule that it breaks" $(BIN)/python -m pytest -m "not proof" \
	  --ignore=$(AUDITS) tests/detection

unit: venv ## The unit tests alone: no Docker
	@$(BIN)/python -m pytest $(SPREAD) tests/unit

lint: venv ## ruff and mypy
	$(PART) "ruff check" $(BIN)/ruff check .
	$(PART) "ruff format" $(BIN)/ruff format --check .
	$(PART) "mypy" $(BIN)/mypy

demo-jump: venv ## $10,000 up at 03:00, played to the monitor: one alert, one recovery
	@$(BIN)/python -m harness.alerts.monitor.replay

proof: ## Gates in a row, each good container again and again, kills at any moment, browsers, whole detection
	$(PART) "make proof" $(MAKE) --no-print-directory parts-of-proof

parts-of-proof: setup
	@for run in $$(seq $(PROOF_GATES)); do .ci/part "Gate $$run of $(PROOF_GATES)" $(GATE) || exit; done
	$(PART) "No false alarm on good containers, run after run" $(BIN)/python -m pytest -m proof tests/detection/test_good_containers.py
	$(PART) "$(PROOF_KILLS) chaos runs killed at any moment" $(BIN)/python -m pytest -m proof tests/detection/test_sigkill.py
	$(PART) "SavedModels that TensorFlow made" $(BIN)/python -m pytest -m proof tests/detection/test_saved_models.py
	$(PART) "A good container of another domain" $(BIN)/python -m pytest -m proof tests/detection/test_energy.py
	$(PART) "The wheel, installed elsewhere" $(BIN)/python -m pytest -m proof tests/detection/test_wheel.py
	$(PART) "Servers that others wrote" $(BIN)/python -m pytest -m proof tests/detection/test_peers.py
	$(PART) "An image beside itself" $(BIN)/python -m pytest -m proof tests/detection/test_compare.py
	$(PART) "The local endpoint: 10,000 calls, variants that come and go" $(BIN)/python -m pytest -m proof tests/detection/test_endpoint.py
	$(PART) "Releases: bad ones come back, good ones take over" $(BIN)/python -m pytest -m proof tests/detection/test_release.py
	$(PART) "A remote engine" $(BIN)/python -m pytest -m proof tests/detection/test_remote_engine.py
	$(PART) "Alerts: killed at every step" $(BIN)/python -m pytest -m proof tests/proof
	$(PART) "Load: long runs, master and workers, the page in a browser" $(BIN)/python -m pytest -m proof \
	  tests/detection/test_load_crew.py tests/detection/test_load_long.py tests/detection/test_load_page.py
	$(PART) "The report in a browser: what it takes" .ci/browser
	$(PART) "The report in a browser" $(BIN)/python -m pytest -m proof tests/detection/test_report_in_a_browser.py
	$(PART) "Detection, the whole suite on each defect" \
	  env PROOF_DETECTION=whole $(BIN)/python -m pytest -m "not proof" --ignore=$(AUDITS) tests/detection

# Only the maker of a lock needs uv: one on PATH, or one in a throw-away environment.
lock: ## Resolve the dependencies of pyproject.toml anew, for every supported Python
	@command -v uv >/dev/null || test -x .cache/uv/bin/uv || \
	  { $(PYTHON) -m venv .cache/uv && .cache/uv/bin/python -m pip --quiet install uv; }
	@PATH="$$PATH:$$PWD/.cache/uv/bin" uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate pyproject.toml --group test --group lint --group build \
	  --output-file .ci/requirements.lock >/dev/null
	@PATH="$$PATH:$$PWD/.cache/uv/bin" uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --constraints reference_container/requirements.lock \
	  tests/bench/peers.in --output-file tests/bench/peers.lock >/dev/null
	@for peer in mlserver bentoml; do PATH="$$PATH:$$PWD/.cache/uv/bin" uv pip compile --quiet --upgrade --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --constraints reference_container/requirements.lock fixtures/$${peer}_container/requirements.in \
	  --output-file fixtures/$${peer}_container/requirements.lock >/dev/null; done
	@PATH="$$PATH:$$PWD/.cache/uv/bin" uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate \
	  tests/bench/frames.in --output-file tests/bench/frames.lock >/dev/null
	@PATH="$$PATH:$$PWD/.cache/uv/bin" uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --group browser --constraints .ci/requirements.lock \
	  --output-file .ci/browser.lock >/dev/null

bench: venv ## Side by side with peers: mlflow, pandera, wrk and others (ROWS="serving generation": some of it)
	@$(BIN)/python -m tests.bench $(ROWS)

table: venv ## The table of rules, checks and defects in the README, anew
	@$(BIN)/python -m tests.detection.rules_table

clean: ## Remove what was made here: environment, caches, reports (images stay)
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis reports dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
