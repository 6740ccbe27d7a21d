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
export TARTAN_DEB_LEVEL=0 SOURCE_DATE_EPOCH=1700000000
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
chmod 755 "$root" "$work"
cp "$package" "$newer" "$root/root/"
echo node1 >"$root/etc/hostname"
# Nothing that is not of use here, and that this container could not start.
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
for unit in dbus.service dbus.socket systemd-logind.service console-getty.service systemd-networkd-wait-online.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
# The other node, with etcd on it, and a cable between the two.
namespace "$id-a"
namespace "$id-b"
ip link add eth0 netns "$id-a" type veth peer name eth0 netns "$id-b"
for end in a:1 b:2; do
    ip -n "$id-${end%:*}" address add "10.77.0.${end#*:}/24" dev eth0
    ip -n "$id-${end%:*}" link set eth0 up
done
ip -n "$id-a" route add default via 10.77.0.2
etcd_in "$id-b" 10.77.0.2
ip netns exec "$id-b" "$programs/tartan" network init --network 10.244.0.0/16 --etcd-endpoints http://10.77.0.2:2379 >/dev/null
# As on a machine of its own: the network is its to change, settings under /proc/sys/net included.
start boot env SYSTEMD_NSPAWN_API_VFS_WRITABLE=network systemd-nspawn --quiet --capability=CAP_NET_ADMIN --register=no --keep-unit --directory="$root" --network-namespace-path="/run/netns/$id-a" \
    --machine="$id" --boot
# nspawn's child is the container's init.
boot=$started
eventually 30 "systemd is PID 1 of a container" sh -c "pgrep -P $boot"
init=$(pgrep -P $boot | head -n 1)
within() { nsenter --target "$init" --mount --uts --ipc --pid --net --cgroup --root --wd=/ env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
tell() { tail -n 15 "$work/boot.log"; within journalctl --no-pager -n 25 -u tartand; tail -n 5 "$work/node2.log" 2>/dev/null; }
later 'within systemctl poweroff'
eventually 60 "systemd has booted" within systemctl --quiet is-active multi-user.target

step "installed, it is enabled and tries, although there is no etcd where its default configuration has it"
within dpkg -i "/root/${package##*/}" >"$work/dpkg.log" 2>&1 || fail "$(cat "$work/dpkg.log")"
holds "enabled" "$(within systemctl is-enabled tartand)" '^enabled'
eventually 20 "it tries" sh -c "nsenter -t $init -m -r -w journalctl -u tartand | grep -q \"can't be read from etcd yet\""
holds "its state" "$(within systemctl show -P ActiveState tartand || true)" activating

step "with etcd's address in its configuration it is ready, as a user with one capability"
echo 'etcd-endpoints: [http://10.77.0.2:2379]' >>"$root/etc/tartan/tartand.yaml"
within systemctl restart tartand
holds "its state" "$(within systemctl show -P ActiveState tartand)" '^active$'
pid=$(within systemctl show -P MainPID tartand)
status=$(within cat "/proc/$pid/status")
holds "its capabilities" "$status" 'CapBnd:\s0000000000001000'
lacks "its user" "$status" 'Uid:\s0\s'
subnet=$(within sed -n 's/^FLANNEL_SUBNET=//p' /run/flannel/subnet.env)
[ -n "$subnet" ] || fail "there is no subnet in subnet.env"
holds "who may read it" "$(within stat -c %a /run/flannel/subnet.env)" '^644$'
holds "forwarding, which it turns on" "$(within cat /proc/sys/net/ipv4/ip_forward)" '^1$'
holds "the probe" "$(within tartan health)" '^ok$'
holds "the lease" "$(within tartan leases)" 'node1'

step "a pod of this node and one of another ping each other"
start node2 ip netns exec "$id-b" "$programs/tartand" --etcd-endpoints http://10.77.0.2:2379 --node-name node2 --iface eth0 \
    --subnet-file "$work/node2.env" --state-dir "$work/node2" --api-listen none
eventually 20 "the other node's subnet" test -s "$work/node2.env"
other=$(sed -n 's/^FLANNEL_SUBNET=//p' "$work/node2.env")
# pod NAMESPACE NODE GATEWAY/LENGTH: on a bridge of that node.
pod() {
    namespace "$1"
    ip -n "$2" link add cni0 type bridge
    ip -n "$2" address add "$3" dev cni0
    ip -n "$2" link set cni0 up
    ip link add eth0 netns "$1" type veth peer name pod netns "$2"
    ip -n "$2" link set pod master cni0 up
    ip -n "$1" address add "${3%.1/*}.2/24" dev eth0
    ip -n "$1" link set eth0 up
    ip -n "$1" route add default via "${3%/*}"
}
pod "$id-p" "$id-a" "$subnet"
pod "$id-q" "$id-b" "$other"
ip netns exec "$id-b" sysctl -qw net.ipv4.ip_forward=1
eventually 10 "a ping" ip netns exec "$id-p" ping -c 1 -W 1 "${other%.1/*}.2"
start pings ip netns exec "$id-p" ping -i 0.02 -W 1 "${other%.1/*}.2"
pings=$started

step "a daemon that hangs is noticed by the watchdog and started anew"
within sh -c 'mkdir -p /run/systemd/system/tartand.service.d && printf "[Service]\nWatchdogSec=2s\n" >/run/systemd/system/tartand.service.d/test.conf'
within systemctl daemon-reload
within systemctl restart tartand
pid=$(within systemctl show -P MainPID tartand)
first=$(within systemctl show -P WatchdogTimestampMonotonic tartand)
eventually 10 "signs of life" sh -c "[ \$(nsenter -t $init -m -p -r -w systemctl show -P WatchdogTimestampMonotonic tartand) -gt $((first + 2500000)) ]"
[ "$pid" = "$(within systemctl show -P MainPID tartand)" ] || fail "it was started anew although it lived"
within kill -STOP "$pid"
eventually 20 "a new process" sh -c "p=\$(nsenter -t $init -m -p -r -w systemctl show -P MainPID tartand) && [ \$p != 0 ] && [ \$p != $pid ]"
eventually 20 "it is ready" within systemctl --quiet is-active tartand
holds "the reason" "$(within journalctl --no-pager -u tartand)" 'Watchdog timeout'

step "an upgrade keeps the configuration, and no ping is lost over all that"
pid=$(within systemctl show -P MainPID tartand)
within dpkg -i "/root/${newer##*/}" >"$work/dpkg.log" 2>&1 || fail "$(cat "$work/dpkg.log")"
eventually 20 "the new one runs" sh -c "p=\$(nsenter -t $init -m -p -r -w systemctl show -P MainPID tartand) && [ \$p != 0 ] && [ \$p != $pid ]"
eventually 20 "it is ready" within systemctl --quiet is-active tartand
holds "the configuration" "$(cat "$root/etc/tartan/tartand.yaml")" '^etcd-endpoints: \[http://10.77'
holds "its subnet" "$(within cat /run/flannel/subnet.env)" "FLANNEL_SUBNET=$subnet"
kill -INT "$pings"
wait "$pings" || true
holds "the pings" "$(tail -n 3 "$work/pings.log")" ' 0% packet loss'
say "  $(grep transmitted "$work/pings.log")"

step "removed, it takes its entries along and leaves its configuration; purged, nothing"
within dpkg --remove tartan >"$work/dpkg.log" 2>&1 || fail "$(cat "$work/dpkg.log")"
lacks "the devices" "$(ip -n "$id-a" -o link)" 'tartan\.'
lacks "the routes" "$(ip -n "$id-a" route)" 'proto 116'
lacks "the next hops" "$(ip -n "$id-a" nexthop)" 'proto 116'
[ -e "$root/etc/tartan/tartand.yaml" ] && [ -e "$root/var/lib/tartan" ] || fail "a removed package's configuration is gone"
within dpkg --purge tartan >"$work/dpkg.log" 2>&1 || fail "$(cat "$work/dpkg.log")"
left=$(cd "$root" && find etc usr var/lib -xdev -path '*tartan*' -not -path '*/dpkg/*')
[ -z "$left" ] || fail "this is left: $left"
lacks "the users" "$(cat "$root/etc/passwd")" tartan

success
