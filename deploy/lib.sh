# SPDX-License-Identifier: Apache-2.0
# What deploy/quickstart and deploy/test share: words for people, and what must be installed. Sourced, not run.

# Debian package, then why it is needed. Only what is missing is installed.
build_packages=(
    "libcurl4-openssl-dev|HTTP to etcd's gateway"
    "libnftables-dev|masquerading of pod traffic"
    "libc6-dev|the C library for the static CNI plugin"
)
run_packages=(
    "etcd-server|the lab's own etcd"
    "iputils-ping|pings between the lab's pods"
    "iproute2|lets you look at what was programmed"
)
test_packages=(
    "etcd-client|snapshots, alarms and roles in the tests of etcd's faults"
    "nftables|cuts members and nodes off in the tests of faults"
    "tcpdump|shows that UDP 8472 carries the packets"
    "python3-venv|a place for Schemathesis, which holds the daemon against openapi.yaml"
    "curl|asks the daemon of that run whether it is ready"
    "iperf3|a TCP connection that must survive what happens to the nodes"
    "openssl|makes the certificates of the TLS tests"
    "zsh|takes its completion script"
    "fish|takes its completion script"
    "containernetworking-plugins|the reference that the CNI plugin is compared with"
    "podman|a real client of the CNI plugin"
    "runc|the runtime that podman starts containers with"
    "busybox-static|what runs in those containers"
    "chromium|the browser that the map page is tried in"
    "python3|drives that browser over a pipe, with nothing but its own library"
    "prometheus|promtool, which checks the metrics, the alerts and the dashboard's expressions"
)
strip_packages=(
    "binutils|takes the symbols out of the programs that are packed"
)
deploy_packages=(
    "debootstrap|the Debian tree that the package and the image are tried in"
    "systemd|checks the unit (systemd-analyze)"
    "systemd-container|starts that tree with its own systemd"
    "lintian|checks the Debian package"
    "man-db|reads the manual pages as people will"
    "docker-compose|has the schema of compose files"
    "python3-yaml|reads manifests in the tests"
    "python3-jsonschema|checks compose files against that schema"
    "curl|asks daemons and etcd as a probe would"
    "procps|finds the processes of a container"
    "dpkg-dev|finds the libraries that the package needs"
    "python3-venv|keeps the Kubernetes schemas, which are PyPI's, to themselves"
)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

need_root() {
    [ "$(id -u)" = 0 ] || die "$1 needs root, for network namespaces and packages; run it as root or with sudo"
}

need_swift() {
    command -v swift >/dev/null ||
        die "there is no Swift toolchain; install Swift 6.2 or newer from https://www.swift.org/install/linux/ and run this again"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -n 1)
    # shellcheck disable=SC2086
    set -- ${version:-0 0}
    [ "$1" -gt 6 ] || { [ "$1" -eq 6 ] && [ "$2" -ge 2 ]; } ||
        die "Swift 6.2 or newer is needed, this one is $1.$2; see https://www.swift.org/install/linux/"
}

is_installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# install_packages "PACKAGE|REASON"...
install_packages() {
    local entry missing=()
    for entry in "$@"; do
        if ! is_installed "${entry%%|*}"; then
            missing+=("${entry%%|*}")
            say "will install ${entry%%|*}: ${entry#*|}"
        fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "this is not Debian; install these packages by hand: ${missing[*]}"
    local log policy=/usr/sbin/policy-rc.d blocked=no status=0
    log=$(mktemp)
    # Debian starts what it installs; the lab and the tests start their own, and the host is to stay as it is.
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && blocked=yes
    fi
    {
        apt-get update -q &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
    } >"$log" 2>&1 || status=$?
    [ $blocked = no ] || rm -f "$policy"
    if [ $status != 0 ]; then
        tail -n 5 "$log" >&2
        rm -f "$log"
        die "could not install ${missing[*]}; the last lines of apt-get are above"
    fi
    rm -f "$log"
}

# Every program as it is shipped. Where they are: swift build -c release --static-swift-stdlib --show-bin-path
build_programs() {
    say "building the three programs for release (the first time takes some minutes)"
    local product
    for product in tartand tartan tartan-cni; do
        swift build -c release --static-swift-stdlib --product "$product" >&2 ||
            die "the build failed; the compiler's words are above"
    done
}
