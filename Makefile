# The commands of this project. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
export PATH := $(HOME)/.cargo/bin:$(PATH)
# What is built once need not be prepared to be built again.
ifdef CI
export CARGO_INCREMENTAL := 0
endif

TARGET := $(or $(CARGO_TARGET_DIR),target)
# One set of features for lints, documents and tests, so that everything is built once.
ALL := --locked --features sim,window-tests
PURE := --locked --no-default-features --features sim
FLOOD := tracker::tests::flood::ten_million_of_each_take_no_more_than_the_limits_allow
# In continuous integration a check that could not run is a failure.
STRICT := $(if $(CI),--strict)
DENY ?= $(or $(shell command -v cargo-deny 2>/dev/null),$(TARGET)/tools/bin/cargo-deny)
RQBIT ?= $(or $(shell command -v rqbit 2>/dev/null),$(TARGET)/rivals/bin/rqbit)

say = @printf '\n== %s\n' '$(1)'

.PHONY: help
help: ## lists these commands
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: run
run: needs-cargo ## opens the window; ARGS="…" are given to the program (installs what is missing, builds once)
	@packaging/linux/needs.sh build window
	cargo build --release --locked
	$(TARGET)/release/fyris $(ARGS)

.PHONY: test
test: needs-cargo needs-tests format lints documents tests flood pure licences interop network window ## checks everything, as continuous integration does
	@printf '\nall checks passed\n'

.PHONY: format
format: ## is every file formatted?
	$(call say,format)
	cargo fmt --check

.PHONY: lints
lints: ## clippy, where a warning is an error
	$(call say,lints)
	cargo clippy $(ALL) --all-targets --quiet -- -D warnings

.PHONY: documents
documents: ## the library's documentation, where a broken link is an error
	$(call say,documents)
	RUSTDOCFLAGS=-Dwarnings cargo doc $(ALL) --no-deps --document-private-items --quiet

.PHONY: tests
tests: ## unit and integration tests
	$(call say,tests)
	cargo test $(ALL)

.PHONY: flood
flood: ## ten million made-up torrents and as many peers against the tracker's memory
	$(call say,flood)
	cargo test $(ALL) --lib --quiet -- --ignored --exact --nocapture $(FLOOD)

.PHONY: pure
pure: ## the rooms without sockets and files, built and tested alone
	$(call say,pure rooms alone)
	@! cargo tree $(PURE) --edges normal --prefix none | grep -E '^(tokio|mio|socket2|hyper|rusqlite|eframe) '
	cargo test $(PURE) --quiet

.PHONY: licences
licences: $(DENY) ## licences and sources of the dependencies
	$(call say,licences)
	@if [ -x "$(DENY)" ]; then "$(DENY)" --log-level error check bans licenses sources; \
	else echo 'not run: cargo-deny could not be built'; $(if $(CI),exit 1,true); fi

.PHONY: interop
interop: needs-tests rivals ## real transfers with other BitTorrent programs; ONLY=word picks some
	$(call say,interop)
	cargo build $(ALL) --quiet
	RQBIT="$(RQBIT)" $$(tests/interop/python) tests/interop/run.py --fyris "$(TARGET)/debug/fyris" $(STRICT) $(if $(ONLY),--only '$(ONLY)')

.PHONY: network
network: needs-tests ## a network of coordinator, trackers and users over six machines
	$(call say,network)
	cargo build $(ALL) --quiet
	$$(tests/interop/python) tests/interop/network.py --fyris "$(TARGET)/debug/fyris" $(STRICT)

.PHONY: window
window: needs-tests ## the window on a screen of its own
	$(call say,window)
	cargo build $(ALL) --quiet
	$$(tests/interop/python) tests/interop/window.py --fyris "$(TARGET)/debug/fyris" $(STRICT)

.PHONY: pictures
pictures: needs-tests ## pictures of every panel in every state, to be looked at; ONLY="words" picks some
	$(call say,pictures)
	cargo build $(ALL) --quiet --example window
	tests/interop/pictures.py --window "$(TARGET)/debug/examples/window" --to "$(TARGET)/pictures" $(if $(ONLY),--only $(ONLY))
	@echo 'they are in $(TARGET)/pictures'

.PHONY: bench
bench: needs-cargo ## how fast each part is, and all of it beside other programs, into docs/performance.md; RUNS=n SIZE=mib
	@packaging/linux/needs.sh build
	cargo bench --locked --no-default-features --features host --bench '*'
	cargo build --release --locked --no-default-features --features host
	python=$$(tests/interop/python 2>/dev/null || command -v python3); \
	"$$python" benches/rivals.py --fyris "$(TARGET)/release/fyris" --rqbit "$(RQBIT)" --runs $(or $(RUNS),3) \
		--size $(or $(SIZE),2048) --document docs/performance.md

.PHONY: bench-window
bench-window: needs-cargo needs-tests ## what a frame of the window costs with ten thousand torrents, into docs/performance.md
	cargo build --release --locked
	$$(tests/interop/python) benches/window.py --fyris "$(TARGET)/release/fyris" --document docs/performance.md

.PHONY: bench-tracker
bench-tracker: needs-cargo ## how fast the tracker is, beside aquatic and opentracker where they are installed
	@packaging/linux/needs.sh build
	cargo bench --locked --no-default-features --bench tracker
	cargo build --release --locked --no-default-features --features host
	FYRIS="$(abspath $(TARGET))/release/fyris" TABLE="$(CURDIR)/docs/performance-tracker.md" benches/tracker.sh

.PHONY: needs-cargo
needs-cargo:
	@command -v cargo >/dev/null || { echo 'cargo is missing: install Rust 1.95 or later as https://rustup.rs describes, then run this again'; exit 1; }

.PHONY: needs-tests
needs-tests:
	@packaging/linux/needs.sh build window tests
	@tests/interop/python >/dev/null

# rqbit comes from nowhere but its source; unoptimised and without its database and web page it is built in two minutes.
.PHONY: rivals
rivals: $(RQBIT)
$(TARGET)/rivals/bin/rqbit:
	$(call say,building rqbit to try ours against)
	@CARGO_TARGET_DIR="$(TARGET)/rivals/build" CARGO_PROFILE_DEV_DEBUG=0 cargo install rqbit@9.1.0 --locked --debug --quiet \
		--no-default-features --features rust-tls --no-track --root "$(TARGET)/rivals" \
		|| echo 'rqbit could not be built; it will be left out'
	@rm -rf "$(TARGET)/rivals/build"

# It looks at lists, once; unoptimised it is built in a minute.
$(TARGET)/tools/bin/cargo-deny:
	$(call say,building cargo-deny)
	@CARGO_TARGET_DIR="$(TARGET)/tools/build" CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-deny@0.20.2 --locked --debug --quiet \
		--no-track --root "$(TARGET)/tools" || true
	@rm -rf "$(TARGET)/tools/build"
