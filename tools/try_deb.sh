#!/usr/bin/env bash
# Installs the .deb in a clean chroot, runs `nongemm run gpt2` there, completes in a real bash, shows the man page, and takes it out again.
#   tools/try_deb.sh PACKAGE.deb [CHROOT]     as root; without a chroot one is made by debootstrap (Debian 12)
set -euo pipefail
package=$(realpath "$1")
root=${2:-}
made=
leave() {
  mountpoint -q "$root/proc" && umount "$root/proc"
  [[ -z $made ]] || rm -rf --one-file-system "$made"
}
trap leave EXIT
if [[ -z $root ]]; then
  root=$(mktemp -d)
  made=$root
  debootstrap --variant=minbase bookworm "$root" http://deb.debian.org/debian > /dev/null
fi
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
# The program asks there for the memory that is free, and where it stands itself.
mount -t proc proc "$root/proc"
cp "$package" "$root/tmp/nongemm.deb"
cp /etc/resolv.conf "$root/etc/resolv.conf"
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends /tmp/nongemm.deb
"$(dirname "${BASH_SOURCE[0]}")/check_installed.sh" "$root/usr"
inside nongemm run gpt2 --flow torch,ort --iterations 3

# What shells and man find by themselves, once these are there.
inside apt-get install -y -qq --no-install-recommends bash-completion man-db zsh fish
fail() { echo "try_deb: $*" >&2; exit 1; }
typed=$(printf '%s\n' 'source /usr/share/bash-completion/bash_completion' $'nongemm lis\tfl\t | sed s/^/got:/' exit | timeout 60 script -qec \
  "chroot '$root' /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 bash --norc --noprofile -i" /dev/null)
grep -q 'got:.*inductor' <<< "$typed" || fail "bash does not complete 'nongemm lis<Tab>fl<Tab>' to 'nongemm list flows': $typed"
# shellcheck disable=SC2016  # zsh's own
[[ $(inside zsh -c 'autoload -Uz compinit && compinit -u -D && echo $_comps[nongemm]') == _nongemm ]] || fail "zsh does not find the completion"
[[ $(inside fish -c 'complete -C "nongemm ins"') == inspect* ]] || fail "fish does not complete 'nongemm ins'"
[[ $(inside man nongemm) == *--flow* ]] || fail "man does not show the page"
inside apt-get purge -y -qq nongemm
left=$(inside find / -xdev -path /proc -prune -o -path '*nongemm*' -not -path '/tmp/*' -not -path '/var/*' -not -path '/root/*' -print)
[[ -z $left ]] || { echo "left behind: $left" >&2; exit 1; }
echo "the package installs, runs and goes"
