# Sourced by the scripts that run on a GPU machine: where results go ($out), where what carry.sh gathered lies ($carry), the
# program with the paths of the machine's LibTorch ("${ours[@]}" "$carry/bin/nongemm"), and steps that are independent.
# shellcheck shell=bash
out=${OUT:-gpu-results}
mkdir -p "$out"
carry=${CARRY:-$PWD/.carry}
python=${PYTHON:-python3}
chmod +x "$carry"/bin/* "$carry"/tests/* 2>/dev/null

torch_cuda=$("$python" -c 'import torch, os; print(os.path.join(os.path.dirname(torch.__file__), "lib", "libtorch_cuda.so"))' 2>/dev/null)
[[ -e ${torch_cuda:-} ]] || torch_cuda=$(find / -xdev -name libtorch_cuda.so -not -path '*/proc/*' 2>/dev/null | head -n 1)
[[ -e ${torch_cuda:-} ]] || { echo "no libtorch_cuda.so on this machine"; exit 1; }
site=$(dirname "$(dirname "$(dirname "$torch_cuda")")")
paths=$(dirname "$torch_cuda")
for folder in "$site"/nvidia/*/lib; do [[ -d $folder ]] && paths+=:$folder; done
# The system folder comes last: only what this machine lacks is taken from it.
export NONGEMM_MODULES=$carry/lib/nongemm
# shellcheck disable=SC2034  # for whoever sources this
ours=(env "LD_LIBRARY_PATH=$paths:${LD_LIBRARY_PATH:-}:$carry/lib/system")

failed=()
step() {  # step NAME command...
  local name=$1
  shift
  echo "== $name"
  local begin=$SECONDS
  "$@" || { echo "step $name FAILED ($?)"; failed+=("$name"); }
  echo "== $name took $((SECONDS - begin)) s"
}

run_steps() {  # run_steps NAME...: a failed one is told and the next begins
  local name
  for name in "$@"; do step "$name" "$name"; done
  if [[ ${#failed[@]} -gt 0 ]]; then
    echo "failed: ${failed[*]}"
    return 1
  fi
  echo "all steps passed"
}
