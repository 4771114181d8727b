#!/usr/bin/env bash
# Checks that need no test run: who includes whom and how long things are (docs/architecture.md), format, names and mistakes that clang-tidy
# sees, headers that compile alone, scripts.
#   tools/lint.sh [architecture|format|tidy|headers|scripts]...   without arguments: all
# tidy and headers read the compile commands of build/ci, so that preset has to be configured (make test).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/setup.sh --lint-tools
failed=()

check() {
  local name=$1 start=$SECONDS
  if "lint_$name"; then echo "lint $name: ok ($((SECONDS - start)) s)"; else failed+=("$name"); fi
}

lint_format() {
  git ls-files -z '*.h' '*.cpp' 'src/*.js' | xargs -0 clang-format --dry-run -Werror || {
    echo "make format puts this right" >&2
    return 1
  }
}

lint_tidy() { nice python3 tools/lint_sources.py tidy; }
lint_headers() { nice python3 tools/lint_sources.py headers; }
lint_architecture() { python3 tools/lint_architecture.py && python3 tools/lint_unity.py; }
lint_scripts() { git ls-files -z nongemm .ci/run '*.sh' | xargs -0 shellcheck; }

[[ $# -gt 0 ]] || set -- architecture format scripts headers tidy
for name in "$@"; do check "$name"; done
if [[ ${#failed[@]} -gt 0 ]]; then
  echo "lint failed: ${failed[*]}" >&2
  exit 1
fi
