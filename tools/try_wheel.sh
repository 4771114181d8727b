#!/usr/bin/env bash
# Installs the wheel in a Python environment of its own, runs `nongemm run gpt2` there in both runtimes, and takes it out again.
#   tools/try_wheel.sh nongemm-VERSION-*.whl [ENVIRONMENT]     an environment that has torch and onnxruntime saves their download
set -euo pipefail
wheel=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
environment=$(realpath -m "${2:-$work/environment}")
[[ -x $environment/bin/python ]] || python3 -m venv "$environment"
files() { (cd "$environment" && find . -path '*nongemm*' -not -name '*.pyc' | sort); }
before=$(files)
# What it depends on comes along, and is what the environment has afterwards.
"$environment/bin/python" -m pip install --quiet --no-cache-dir "$wheel"
"$environment/bin/python" -m pip check
packages=$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
info=$(compgen -G "$packages/nongemm-*.dist-info")
"$(dirname "${BASH_SOURCE[0]}")/check_installed.sh" "$environment" "${packages#"$environment"/}/nongemm" "${info#"$environment"/}/licenses/third-party"
# Neither the environment's variables nor anything of the build help it.
inside() { (cd "$work" && env -i PATH=/usr/bin:/bin HOME="$work" LC_ALL=C.UTF-8 LD_DEBUG=libs LD_DEBUG_OUTPUT="$work/loaded" "$environment/bin/nongemm" "$@"); }
inside --version
inside run gpt2 --flow torch,ort --iterations 3 --format table,json --output out
loaded=$(sed -n 's/.*calling init: //p' "$work"/loaded.* | sed 's|/nongemm/\.\./|/|' | sort -u)
for library in "$packages"/torch/lib/libtorch_cpu.so "$packages"/onnxruntime/capi/libonnxruntime.so; do
  [[ $loaded == *"$library"* ]] || { echo "$library was not loaded" >&2; exit 1; }
done
torch=$("$environment/bin/python" -c 'import importlib.metadata as m; print(m.version("torch").split("+")[0])')
grep -qF "$torch" "$work/out/report.json" || { echo "the report is of another torch than $torch" >&2; exit 1; }
"$environment/bin/python" -m pip uninstall --quiet --yes nongemm
[[ $(files) == "$before" ]] || { echo "left behind: $(comm -13 <(echo "$before") <(files))" >&2; exit 1; }
echo "the wheel installs, runs and goes"
