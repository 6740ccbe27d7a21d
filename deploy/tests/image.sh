#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The image, built by podman on a Debian base made on the spot, with the programs that are built already: an authority
# without any rights on a real etcd, and with NET_ADMIN alone a node that carries packets. Slow: about half a minute.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

install_packages "${run_packages[@]}" "${test_packages[@]}" "${strip_packages[@]}" "${deploy_packages[@]}"
need_programs
need_tree

id=ti$$
# What this machine may lack is told: rights to raise limits, the cgroups' newer form.
podman() {
    # Its timers of health checks are systemd's, which need not run here; the test asks for the checks itself.
    command podman --root "$work/storage" --runroot "$work/run" --storage-driver=vfs --cgroup-manager=cgroupfs --runtime runc "$@" \
        2> >(grep -v 'unable to get systemd connection' >&2)
}
limits=(--ulimit nofile=1024:1024 --ulimit nproc=1000:1000)
later 'podman rm --all --force --time 0; podman rmi --all --force'
tell() { for container in authority node; do echo "--- $container"; podman logs "$container" 2>&1 | tail -n 8; done; }

step "the image is built from the Containerfile"
podman import "$tree_tar" docker.io/library/debian:bookworm-slim >"$work/import.log" 2>&1 || fail "$(cat "$work/import.log")"
context=$work/context
mkdir -p "$context/.build/container"
cp "$programs"/* "$context/.build/container/"
cp .containerignore "$context/"
podman build --format docker --isolation chroot "${limits[@]}" --network host --build-arg SOURCE=given \
    --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo none)" -t tartan -f deploy/Containerfile "$context" >"$work/build.log" 2>&1 ||
    { tail -n 15 "$work/build.log" >&2; fail "podman build failed; its last lines are above"; }
size=$(podman inspect -f '{{.Size}}' tartan)
say "  the image has $((size / 1000000)) MB: $(du -sm "$programs" | cut -f1) MB of programs, the rest libraries"
[ "$size" -lt 140000000 ] || fail "the image has grown to $size bytes"
inspected=$(podman inspect tartan)
for label in title version revision licenses; do holds "the labels" "$inspected" "org.opencontainers.image.$label"; done
holds "its user" "$(podman inspect -f '{{.Config.User}}' tartan)" '^65532:65532$'

step "all three programs run in it"
run() { podman run --rm "${limits[@]}" --network none "$@"; }
holds tartand "$(run tartan --version)" '^tartand [0-9]'
holds tartan "$(run --entrypoint /usr/bin/tartan tartan --version)" '^tartan [0-9]'
holds tartan-cni "$(echo '{"cniVersion":"1.0.0"}' | run -i --env CNI_COMMAND=VERSION --entrypoint /usr/bin/tartan-cni tartan)" supportedVersions

step "as a user without any capability, read-only, it is an authority on a real etcd"
namespace "$id-a"
namespace "$id-b"
ip link add eth0 netns "$id-a" type veth peer name eth0 netns "$id-b"
for end in a:1 b:2; do
    ip -n "$id-${end%:*}" address add "10.78.0.${end#*:}/24" dev eth0
    ip -n "$id-${end%:*}" link set eth0 up
done
etcd_in "$id-b" 10.78.0.2
ip netns exec "$id-b" "$programs/tartan" network init --network 10.245.0.0/16 --etcd-endpoints http://10.78.0.2:2379 >/dev/null
podman run -d --name authority "${limits[@]}" --network "ns:/run/netns/$id-a" --cap-drop all \
    --security-opt no-new-privileges --read-only \
    tartan --etcd-endpoints http://10.78.0.2:2379 --node-name authority --public-ip 192.0.2.9 >"$work/authority.id" 2>&1 ||
    fail "$(cat "$work/authority.id")"
eventually 20 "it is ready" podman exec authority /usr/bin/tartan health
status=$(cat "/proc/$(podman inspect -f '{{.State.Pid}}' authority)/status")
holds "its user" "$status" 'Uid:\s65532\s65532'
holds "its capabilities" "$status" 'CapEff:\s0000000000000000'
holds "what it may ever get" "$status" 'CapBnd:\s0000000000000000'
holds "its lease" "$(podman exec authority /usr/bin/tartan leases)" authority

step "its health check is the image's own, and podman runs it"
podman healthcheck run authority || fail "the health check of a healthy daemon failed"
podman pause authority
! podman healthcheck run authority >/dev/null 2>&1 || fail "a daemon that is stopped is healthy"
podman unpause authority
lacks "the dataplane" "$(ip -n "$id-a" -o link)" 'tartan\.'
podman rm -f --time 5 authority >/dev/null

step "without the capability it does not pretend to program the host"
said=$(podman run --rm --user 0 "${limits[@]}" --network "ns:/run/netns/$id-a" --cap-drop all tartan --dataplane netlink 2>&1) && fail "it did"
holds "its word" "$said" CAP_NET_ADMIN

step "with NET_ADMIN and nothing else it is a node that carries packets"
podman run -d --name node --user 0 "${limits[@]}" --network "ns:/run/netns/$id-a" --cap-drop all --cap-add net_admin \
    --security-opt no-new-privileges --read-only \
    tartan --dataplane netlink --ip-masq --etcd-endpoints http://10.78.0.2:2379 --node-name node1 --iface eth0 >"$work/node.id"
eventually 20 "it is ready" podman exec node /usr/bin/tartan health
holds "its capabilities" "$(cat "/proc/$(podman inspect -f '{{.State.Pid}}' node)/status")" 'CapBnd:\s0000000000001000'
start other ip netns exec "$id-b" "$programs/tartand" --etcd-endpoints http://10.78.0.2:2379 --node-name node2 --iface eth0 \
    --subnet-file "$work/other.env" --state-dir "$work/other" --api-listen none
eventually 20 "the other node's subnet" test -s "$work/other.env"
for end in a b; do
    if [ $end = a ]; then text=$(podman exec node /bin/cat /run/flannel/subnet.env); else text=$(cat "$work/other.env"); fi
    gateway=$(sed -n 's/^FLANNEL_SUBNET=//p' <<<"$text")
    ip -n "$id-$end" link add cni0 type bridge
    ip -n "$id-$end" address add "$gateway" dev cni0
    ip -n "$id-$end" link set cni0 up
    addresses+=("${gateway%/*}")
done
eventually 10 "a ping through the overlay" ip netns exec "$id-a" ping -c 1 -W 1 -I "${addresses[0]}" "${addresses[1]}"
holds "the masquerading" "$(ip netns exec "$id-a" nft list table inet tartan)" masquerade

step "it stops when it is told to, within two seconds"
before=$(date +%s%N)
podman stop --time 10 node >/dev/null
took=$((($(date +%s%N) - before) / 1000000))
[ $took -lt 4000 ] || fail "stopping took $took ms"
holds "its end" "$(podman inspect -f '{{.State.ExitCode}}' node)" '^0$'

success
