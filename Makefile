# Shortcuts for people; everything behind them is tools/setup.sh, CMake and ctest.
PREFIX ?= /usr/local
# Which build is used and installed; tests name their own.
NONGEMM_PRESET ?= release
JOBS ?= $(shell nproc)

.PHONY: build package wheel test bench generated results lint format install clean

build: ## the program, in build/release/bin
	tools/setup.sh $(NONGEMM_PRESET)

test: ## everything, warnings as errors, then all tests
	tools/setup.sh ci all
	@test -d ../shared || echo "note: ../shared (reference fixtures) is missing: the tests that read it will fail" >&2
	ctest --preset ci --parallel $(JOBS)

bench: ## the project's own figures, as ratios
	tools/setup.sh release all
	bench/run.sh

generated: ## what the program makes of its own tables: docs/cli.md, docs/figures.md, docs/results/, tables of README.md, golden files
	tools/setup.sh ci nongemm
	tools/setup.sh ci golden_test
	tools/generated.sh build/ci

results: ## of these the pages of docs/results/ and the tables of README.md alone, by the release build
	tools/setup.sh release nongemm
	tools/results.sh build/release/bin/nongemm

lint: ## format, names, headers, shell scripts
	tools/lint.sh

format: ## rewrites the sources in the project's format
	tools/setup.sh --lint-tools
	git ls-files -z '*.h' '*.cpp' | xargs -0 clang-format -i

install: build ## PREFIX=/usr/local
	cmake --install build/$(NONGEMM_PRESET) --prefix $(PREFIX)

package: ## a .deb and a relocatable tarball, in build/package
	tools/setup.sh package
	@command -v dpkg-shlibdeps > /dev/null || echo "package: the tarball alone: a .deb needs dpkg-shlibdeps (Debian's package dpkg-dev)" >&2
	cd build/package && cpack -G "TGZ$$(command -v dpkg-shlibdeps > /dev/null && echo ';DEB')"

wheel: ## for a Python environment, in build/
	python3 -m pip wheel --no-deps --wheel-dir build .

clean: ## what was built, not what was fetched
	rm -rf build
