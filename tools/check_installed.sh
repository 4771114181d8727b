#!/usr/bin/env bash
# What has to lie beside an installed program: man page, completions, and a licence for every library that came along.
#   tools/check_installed.sh PREFIX [LIBRARIES LICENCES]     the latter below PREFIX; lib/nongemm and share/doc/nongemm/third-party
set -euo pipefail
prefix=$1 libraries=$1/${2:-lib/nongemm} licences=$1/${3:-share/doc/nongemm/third-party}
failed=0
complain() { echo "check_installed: $*" >&2; failed=1; }

for file in bin/nongemm share/man/man1/nongemm.1 share/bash-completion/completions/nongemm share/zsh/vendor-completions/_nongemm \
  share/fish/vendor_completions.d/nongemm.fish; do
  [[ -s $prefix/$file || -s $prefix/$file.gz ]] || complain "$file is missing"
done
list=$licences/libraries.txt
[[ -f $list ]] || { complain "$list is missing"; exit 1; }
count=0
while IFS= read -r library; do
  name=${library##*/}
  # Inductor's packages name a library that holds nothing; this one is ours.
  [[ $name == libnongemm_* || $library == */inductor/libtorch.so ]] && continue
  folder=$(awk -F '\t' -v name="$name" '$1 == name {print $2}' "$list")
  [[ -n $folder && -n $(find "$licences/$folder" -type f -size +200c -print -quit) ]] || complain "no licence of ${library#"$prefix"/}"
  count=$((count + 1))
done < <(find "$libraries" -name '*.so*')
while IFS=$'\t' read -r what folder; do
  [[ -n $(find "$licences/$folder" -type f -size +200c -print -quit) ]] || complain "no licence of $what"
done < <(grep -P '\t' "$list")
((failed == 0)) || exit 1
echo "man page, completions, and the licences of $count libraries of others and of $(grep -c 'compiled in' "$list") compiled in"
