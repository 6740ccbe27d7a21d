# SPDX-License-Identifier: Apache-2.0
# What the tests of deployment share. Sourced, not run; each test can be run alone, as root: deploy/tests/NAME.sh
# PROGRAMS names a directory with the three programs built for release; without it they are built.

set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
. deploy/lib.sh

name=$(basename "$0" .sh)
need_root "deploy/tests/$name.sh"
# What a test installs or starts is of no use after it: undone in the order of a stack, however the test ends.
undo=()
finish() {
    local status=$? step index
    trap - EXIT INT TERM
    set +e
    if [ $status != 0 ]; then
        say "FAILED, in ${where:-its preparations}"
        if declare -F tell >/dev/null; then tell >&2; fi
    fi
    for ((index = ${#undo[@]} - 1; index >= 0; index--)); do
        step=${undo[$index]}
        eval "$step" >/dev/null 2>&1
    done
    exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM
later() { undo+=("$1"); }

work=$(mktemp -d /tmp/tartan-"$name".XXXXXX)
later "rm -rf '$work'"

passed=0
# step WORDS: what comes next, which holds once the step after it begins.
step() {
    [ -z "${where:-}" ] || { passed=$((passed + 1)); say "  ok: $where"; }
    where=$*
}
# At the end of a test.
success() { step ""; say "$passed passed, 0 failed"; }

fail() { say "$*"; exit 1; }

# eventually SECONDS WORDS COMMAND...: until the command succeeds.
eventually() {
    local limit=$1 what=$2
    shift 2
    local deadline=$((SECONDS + limit))
    until "$@" >"$work/eventually" 2>&1; do
        [ $SECONDS -lt $deadline ] || { tail -n 5 "$work/eventually" >&2; fail "not within $limit s: $what"; }
        sleep 0.1
    done
}

# holds WORDS TEXT PATTERN: the pattern, an extended regular expression, is in the text.
holds() { grep -qE -- "$3" <<<"$2" || fail "$1: there is no '$3' in: $2"; }
lacks() { ! grep -qE -- "$3" <<<"$2" || fail "$1: there should be no '$3' in: $2"; }

# The programs as they are shipped, without their symbols, in $programs.
need_programs() {
    local built=${PROGRAMS:-}
    if [ -z "$built" ]; then
        need_swift
        build_programs
        built=$(swift build -c release --static-swift-stdlib --show-bin-path)
    fi
    programs=$work/programs
    mkdir -p "$programs"
    local program
    for program in tartand tartan tartan-cni; do strip -o "$programs/$program" "$built/$program"; done
}

# A Debian tree with everything that the tests need in it, made once a machine; $tree_tar names its archive.
need_tree() {
    local cache=${TARTAN_TEST_CACHE:-/tmp/tartan-test-cache}
    tree_tar=$cache/bookworm-1.tar
    mkdir -p "$cache"
    exec 8>"$cache/lock"
    flock 8
    if [ ! -e "$tree_tar" ]; then
        say "making a Debian tree with debootstrap (a minute or two, once)"
        local tree
        tree=$(mktemp -d "$cache/new.XXXXXX")
        later "rm -rf '$tree'"
        debootstrap --variant=minbase \
            --include=libcurl4,libnftables1,ca-certificates,busybox-static,adduser,systemd,systemd-sysv,dbus,iproute2,iputils-ping,nftables,procps \
            bookworm "$tree" http://deb.debian.org/debian >"$cache/log" 2>&1 ||
            { tail -n 5 "$cache/log" >&2; fail "debootstrap failed; its last lines are above, all of them in $cache/log"; }
        rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/* "$tree"/usr/share/{doc,locale,man}/*
        chmod 755 "$tree"
        tar -C "$tree" --numeric-owner -cf "$tree_tar.new" .
        mv "$tree_tar.new" "$tree_tar"
        rm -rf "$tree"
    fi
    exec 8>&-
}

# start NAME COMMAND...: in the background, its words in $work/NAME.log; ends with the test.
start() {
    local log=$work/$1.log
    shift
    "$@" >>"$log" 2>&1 &
    started=$!
    # A shell function has a shell of its own, and the program is that one's child.
    later "pkill -TERM -P $started; kill $started; wait $started"
}

# A network namespace of this test's own, and its end: namespace NAME
namespace() {
    ip netns add "$1"
    later "ip netns delete '$1'"
    ip -n "$1" link set lo up
}

# An etcd in a namespace: etcd_in NAMESPACE ADDRESS OPTIONS...; clear text unless the options say otherwise.
etcd_in() {
    local space=$1 address=$2
    shift 2
    start etcd ip netns exec "$space" etcd --name e1 --data-dir "$work/etcd" --logger zap --unsafe-no-fsync \
        --listen-client-urls "http://$address:2379" --advertise-client-urls "http://$address:2379" \
        --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
        --initial-cluster e1=http://127.0.0.1:2380 "$@"
    etcd_process=$started
    eventually 20 "etcd serves" grep -q "serving client traffic" "$work/etcd.log"
}
