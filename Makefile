# `make` lists the targets. `make demo` and `make test` set up what they need by themselves; every other target works
# after either of them (or `make setup`).

# System npm may run on an old Node; everything of ours runs on the one that package-lock.json brings.
BIN := node_modules/.bin
NODE := $(BIN)/node
RUN := PATH="$(CURDIR)/$(BIN):$$PATH" $(NODE) scripts/run-suites.ts
# Many runs side by side: one thread each, and a young generation that a run's events fit into.
SIM_NODE := $(NODE) --single-threaded-gc --max-semi-space-size=64
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -- )

.DEFAULT_GOAL := help
.PHONY: help setup build check format test test-slow unit contract lab-test demo rehearsal deb lint-deploy sim sim-mutants sim-bench spec chaos clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install missing system packages (says which first) and the npm packages
	@scripts/setup

build: $(NODE) ## bundle dist/ and app/dist/
	@$(NODE) scripts/build.ts

check: $(NODE) ## types, format, lint, import rules, dead code, house rules, documents in step
	@$(RUN) check

format: $(NODE) ## write the format and the safe lint fixes
	@$(BIN)/biome check --write

unit: $(NODE) ## unit and property tests, and the application's
	@$(RUN) unit

contract: build ## adapters against the real software and its doubles
	@$(RUN) contract

lab-test: build ## every scenario in the lab (needs root: uses sudo)
	@$(RUN) lab

test: setup ## everything above: set up, build, check, unit, property, contract, lab
	@$(MAKE) --no-print-directory build
	@$(RUN) test

test-slow: build ## large seeds, package, chaos, rehearsal, the other witnesses: MINUTES=N begins nothing more after that
	@$(RUN) slow $(if $(MINUTES),--minutes $(MINUTES))

sim: $(NODE) ## the simulator: SEEDS=N runs (default 100) from seed FROM (default: go on)
	@$(SIM_NODE) test/sim/main.ts --seeds $(or $(SEEDS),100) $(if $(FROM),--from $(FROM))

sim-mutants: $(NODE) ## negative controls of the simulator: each must be caught
	@$(SIM_NODE) test/sim/mutants/main.ts

sim-bench: $(NODE) ## how many cluster-minutes the simulator does in a CPU second
	@$(SIM_NODE) --expose-gc test/sim/bench.ts

chaos: build ## random faults over the lab: SEEDS=N sequences (default 3) from seed FROM (needs root: uses sudo)
	@$(AS_ROOT)env PATH="$(CURDIR)/$(BIN):$$PATH" test/chaos/run --seeds $(or $(SEEDS),3) $(if $(FROM),--from $(FROM))

rehearsal: build ## six booted hosts deployed, failed over, upgraded, cleared: about 20 minutes (needs root: uses sudo)
	@$(AS_ROOT)env PATH="$(CURDIR)/$(BIN):$$PATH" test/rehearsal/run

deb: $(NODE) ## the Debian package, in deploy/dist
	@$(NODE) scripts/package-deb.ts

lint-deploy: ## playbooks and scripts of deploy/, without a host
	@deploy/ci/lint

spec: $(NODE) ## the formal model, within the bounds that CI checks
	@PATH="$(CURDIR)/$(BIN):$$PATH" test/spec/run

demo: setup ## two sites on this machine: kill one half after half and watch (needs root: uses sudo)
	@$(MAKE) --no-print-directory build
	@$(AS_ROOT)env PATH="$(CURDIR)/$(BIN):$$PATH" test/lab/demo

clean: ## remove what was built and the logs; packages stay
	rm -rf dist app/dist .state/logs

$(NODE):
	@echo 'The npm packages are not installed yet: run `make setup` first.' >&2; exit 1
