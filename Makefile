# Tidemark's commands. Each installs the Debian packages it needs by itself (tools/setup) and asks nothing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build demo test soak bench format lint tidy clean

# Go is often unpacked here without being in PATH.
export PATH := $(PATH):/usr/local/go/bin

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

build: ## the program: build/release/tidemark
	@tools/setup build
	@cmake --preset gcc-release >/dev/null
	@cmake --build --preset gcc-release --target tidemark

demo: ## records an etcd, breaks it, brings it back as it was: a story of about a minute
	@tools/setup build run
	@cmake --preset gcc-release >/dev/null
	@cmake --build --preset gcc-release --target tidemark
	@tools/demo

test: ## every test there is: release, sanitizers, drills against real etcds, lint
	@tools/setup build run test
	@tools/run_tests

soak: ## the same tests with their full numbers, and a coverage-guided run of every fuzz target (hours)
	@tools/setup build run test
	@tools/soak

bench: ## the figures of bench/RESULTS.md, measured here
	@tools/setup build run
	@cmake --preset gcc-release >/dev/null
	@cmake --build --preset gcc-release
	@testbed/etcd/build 3.6
	@bench/run

format: ## formats the C++ sources
	@tools/setup build test
	@tools/check_format --fix

lint: ## clang-tidy on all sources, one by one
	@tools/setup build test
	@tools/lint --all --each

tidy: ## clang-tidy on what changed since BASE (default: see tools/lint) and on what includes it
	@tools/setup build test
	@tools/lint $(if $(BASE),--base $(BASE))

clean: ## removes build/
	rm -rf build
