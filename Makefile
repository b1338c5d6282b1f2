# `make` alone lists the targets. Everything they install or start stays in .local/ and target/.

PYTHON ?= python3
STACK := $(PYTHON) tools/local/stack.py
TIMED := tools/gate/timed

.DEFAULT_GOAL := help
# With -j too: the parts share cargo's and the stack's lock, and mixed output helps nobody.
.NOTPARALLEL:
.PHONY: help demo test new-times check quick-check template-check ses-test stack-test bench prove prove-mutants fuzz classification-report stop clean-local

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Deploy to a local AWS, let mail bounce, show the suppressions
	@$(STACK) demo

test: new-times check template-check ses-test stack-test ## Everything: check, the templates, the local SES, then the deployed local stack
	@printf '\nTime of each part\n'; cat .local/times

new-times:
	@rm -f .local/times

check: ## Format, names, module cycles, lints and the tests that need no stack
	$(TIMED) "format, names, cycles" $(MAKE) --no-print-directory quick-check
	$(TIMED) "clippy" cargo clippy --workspace --all-targets -- -D warnings
	$(TIMED) "build of the tests" cargo test --workspace --no-run
	$(TIMED) "tests without a stack" $(STACK) exec cargo-nextest nextest run --workspace --no-fail-fast
	$(TIMED) "tests in the documentation" cargo test --workspace --doc

quick-check: ## What needs no build: format, names, module cycles, shared features
	cargo fmt --check
	$(PYTHON) tools/gate/names.py
	$(PYTHON) tools/gate/cycles.py
	$(PYTHON) tools/local/check_features.py

# The first line installs checkov. A test for each template and lint, two at a time.
template-check: ## Lint the templates, test their wiring
	$(TIMED) "installation of checkov" $(STACK) exec checkov --version
	$(TIMED) "template lints and tests" $(STACK) exec pytest --numprocesses auto tests/template

ses-test: ## Tests of the local SES
	$(TIMED) "local SES" $(STACK) exec pytest tests/local_ses

stack-test: ## Tests against the deployed local stack
	$(TIMED) "deployment" $(STACK) deploy
	$(TIMED) "stack tests" $(STACK) exec pytest tests/stack

# 10,000 seeds take ten minutes on two cores. Fewer: `make prove SEEDS=500`.
SEEDS ?= 10000
PROOF := .local/proof

classification-report: ## How well bounces are classified: figures and misses on the labelled replies
	cargo test --quiet --package feedback --test replies -- --nocapture --test-threads 1

prove: ## Run the functions among faults and kills, and write the figures into docs/proof.md
	mkdir -p $(PROOF)
	cargo build --quiet --profile prove --package prove
	target/prove/prove --seeds $(SEEDS) --json $(PROOF)/seeds
	$(PYTHON) tools/prove/document.py seeds $(PROOF)/seeds

prove-mutants: ## Check that deliberate bugs make the proof fail
	mkdir -p $(PROOF)
	$(PYTHON) tools/prove/mutants.py --rows $(PROOF)/mutants
	$(PYTHON) tools/prove/document.py mutants $(PROOF)/mutants

# Seconds per target.
FUZZ_SECONDS ?= 180

fuzz: ## Fuzz all parsers of untrusted input, and write the figures into docs/proof.md
	mkdir -p $(PROOF)
	$(PYTHON) fuzz/rows.py $(FUZZ_SECONDS) > $(PROOF)/fuzz
	$(PYTHON) tools/prove/document.py fuzz $(PROOF)/fuzz

# Each benchmark writes its rows to $(ROWS); see benches/README.md.
BENCH := .local/bench
ROWS := $(BENCH)/rows

bench: $(BENCH)/python/installed ## Measure, and write the figures into docs/benchmarks.md
	mkdir -p $(ROWS)
	# One by one, as for Lambda. Built together, the functions would share the features of all.
	for package in bench-noop feedback delegate-router suppression-mirror inbound; do \
		cargo build --quiet --release --package $$package || exit; \
	done
	cargo build --quiet --profile prove --package bench-start
	target/prove/bench-start --python $(BENCH)/python/bin/python > $(ROWS)/1-start.jsonl
	cargo build --quiet --release --package bench-inprocess
	$(PYTHON) benches/inprocess/rows.py --python $(BENCH)/python/bin/python > $(ROWS)/2-inprocess.jsonl
	$(PYTHON) benches/table.py $(ROWS)/*.jsonl

$(BENCH)/python/installed: benches/python/requirements.txt
	$(PYTHON) -m venv $(BENCH)/python
	$(BENCH)/python/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

stop: ## End the local stack
	@$(STACK) stop

clean-local: stop ## End the local stack and remove all it installed
	rm -rf .local
