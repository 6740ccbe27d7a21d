#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian package on a Debian with a systemd of its own: installed, started, watched, upgraded, removed, purged, while
# a pod of that node and one of another ping each other. Slow: about a minute.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

install_packages "${run_packages[@]}" "${strip_packages[@]}" "${deploy_packages[@]}"
need_programs
need_tree

id=tt$$
step "the package is made, twice the same, and lintian has nothing against it"
export TARTAN_DEB_LEVEL=0
package=$(deploy/deb/build --programs "$programs" --output "$work" 2>/dev/null)
newer=$(deploy/deb/build --programs "$programs" --output "$work" --version "$("$programs/tartand" --version | cut -d' ' -f2)+1" 2>/dev/null)
mkdir "$work/again"
again=$(deploy/deb/build --programs "$programs" --output "$work/again" 2>/dev/null)
cmp "$package" "$again" || fail "two builds of the same differ"
lintian=$(lintian --fail-on error,warning "$package" 2>&1) || fail "$lintian"
dpkg-deb -x "$package" "$work/files"
for page in man8/tartand.8 man1/tartan.1 man8/tartan-cni.8; do
    complaints=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=100 man --warnings -E UTF-8 -l -Tutf8 -Z "$work/files/usr/share/man/$page.gz" 2>&1 >/dev/null)
    [ -z "$complaints" ] || fail "$page: $complaints"
done
bash -n "$work/files/usr/share/bash-completion/completions/tartan"

step "a Debian boots with the package's files to be installed"
root=$work/root
mkdir "$root"
tar -C "$root" -xf "$tree_tar"
cp "$package" "$newer" "$root/root/"
echo node1 >"$root/etc/hostname"
# The other node, with etcd on it, and a cable between the two.
namespace "$id-a"
namespace "$id-b"
ip link add eth0 netns "$id-a" type veth peer name eth0 netns "$id-b"
for end in a:1 b:2; do
    ip -n "$id-${end%:*}" address add "10.77.0.${end#*:}/24" dev eth0
    ip -n "$id-${end%:*}" link set eth0 up
done
etcd_in "$id-b" 10.77.0.2
ip netns exec "$id-b" "$programs/tartan" network init --network 10.244.0.0/16 --etcd-endpoints http://10.77.0.2:2379 >/dev/null
start boot systemd-nspawn --quiet --register=no --keep-unit --directory="$root" --network-namespace-path="/run/netns/$id-a" \
    --machine="$id" --boot
# nspawn's child is the container's init.
boot=$started
eventually 30 "systemd is PID 1 of a container" sh -c "pgrep -P $boot"
init=$(pgrep -P $boot | head -n 1)
within() { nsenter --target "$init" --mount --uts --ipc --pid --net --cgroup --root --wd=/ env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
tell() { tail -n 15 "$work/boot.log"; within journalctl --no-pager -n 25 -u tartand; tail -n 5 "$work"/node2.log; }
later 'within systemctl poweroff'
eventually 60 "systemd has booted" sh -c "nsenter -t $init -m -p -r -w systemctl is-system-running | grep -E 'running|degraded'"
within systemctl --version
