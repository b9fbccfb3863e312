# Everything runs in a virtualenv of its own. PYTHON is only used to make it; without it deploy/virtualenv.sh chooses.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
CONSOLE := agents/console/static/index.html

.DEFAULT_GOAL := help
.PHONY: help install console compiled plain demo test check coverage fuzz chaos soak schemas pages benchmark clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(INSTALLED): pyproject.toml
	@deploy/virtualenv.sh $(VENV) $(PYTHON)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[console,test]'
	@touch $@

$(CONSOLE): $(INSTALLED) $(shell find console -name node_modules -prune -o -type f -print)
	$(BIN)/python -m agents.console.build --if-possible

console: $(CONSOLE) ## Build the console, the page for marketers

install: $(INSTALLED) $(CONSOLE) ## Make the virtualenv with everything in it

compiled: $(INSTALLED) plain ## Compile the hot modules in place, if there is a C compiler: the same, but faster
	STREAMSEG_COMPILE=try $(BIN)/python setup.py --quiet build_ext --inplace

plain: ## Remove what `make compiled` made
	@find streamseg -name '*.so' -delete
	@rm -rf build

demo: $(INSTALLED) $(CONSOLE) ## Run a whole worker on an in-process broker: no Java, no Docker
	$(BIN)/streamseg demo

# Most tests on Kafka wait for most of their time, so two at a time take little more than half as long. Tests of
# one file stay together, because they share what is costly to make; files keep their order, so none of the long
# ones begins last.
PARALLEL ?= --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: $(INSTALLED) $(CONSOLE) ## Lint, types and all tests, on real Kafka where Java and Maven are there
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(PARALLEL)

check: $(INSTALLED) $(CONSOLE) ## Lint, types and the tests that need no broker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(PARALLEL) -m 'not kafka'

coverage: $(INSTALLED) ## Measure which lines and branches the tests that need no broker reach
	$(BIN)/python -m pytest -m 'not kafka' --cov --cov-report=term --cov-report=html

SECONDS ?= 300
fuzz: $(INSTALLED) ## Compare engine and oracle on random histories for SECONDS=300
	$(BIN)/python -m tests.oracle.fuzz --seconds $(SECONDS)

SEED ?= $(shell date +%s)
chaos: $(INSTALLED) ## Kill, freeze and cut off workers on real Kafka for SECONDS=300 by SEED=…, and check all they said
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) --seed $(SEED)

HOURS ?= 1
soak: $(INSTALLED) ## Run workers under live load with faults now and then for HOURS=1, and look what creeps up
	$(BIN)/python -m tests.soak --hours $(HOURS)

schemas: $(INSTALLED) ## Write the JSON Schema files again
	$(BIN)/python -m schemas.generate

pages: $(INSTALLED) ## Write docs/settings.md, metrics.md, python.md, asyncapi.json, the dashboards, the operator's rules and the tables of deploy/capacity.md again
	$(BIN)/python -m agents.reference_pages
	$(BIN)/python deploy/grafana/generate.py
	$(BIN)/python deploy/kubernetes/generate.py
	$(BIN)/python -m benchmarks.capacity_page

benchmark: $(INSTALLED) ## Measure one worker end to end on real Kafka
	$(BIN)/python -m benchmarks.end_to_end

clean: plain ## Remove the virtualenv, the compiled modules and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov *.egg-info
