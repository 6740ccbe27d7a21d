#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real etcd with all of it on: TLS, client certificates, users, a role that reaches no further than the prefix. What a
# daemon says of each thing that can be wrong with that, and that it takes the mended files without a restart.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

install_packages "${run_packages[@]}" "${test_packages[@]}" "${strip_packages[@]}" "${deploy_packages[@]}"
need_programs
id=te$$
tell() { for log in "$work"/*.log; do echo "--- ${log##*/}"; tail -n 4 "$log" | cut -c1-600; done; }

step "certificates, users and the role are made by the scripts"
namespace "$id"
within() { ip netns exec "$id" "$@"; }
pki=$work/pki
deploy/etcd/certificates "$pki" server etcd 127.0.0.1,localhost
deploy/etcd/certificates "$pki" client operator
deploy/etcd/certificates "$pki" client node
for expired in node-expired:client etcd-expired:server; do
    DAYS=-1 deploy/etcd/certificates "$pki" "${expired#*:}" "${expired%:*}" $([ "${expired#*:}" = client ] || echo 127.0.0.1)
done
deploy/etcd/certificates "$work/elsewhere" client node
deploy/etcd/certificates "$work/elsewhere" server etcd 127.0.0.1
[ "$(stat -c %a "$pki/node.key")" = 600 ] || fail "a key that others can read"
use_server() { cp "$1.key" "$work/server.key"; cp "$1.pem" "$work/server.pem"; }
use_server "$pki/etcd"
start etcd within etcd --name e1 --data-dir "$work/etcd" --logger zap --unsafe-no-fsync \
    --listen-client-urls https://127.0.0.1:2379 --advertise-client-urls https://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
    --initial-cluster e1=http://127.0.0.1:2380 --cert-file "$work/server.pem" --key-file "$work/server.key" \
    --trusted-ca-file "$pki/ca.pem" --client-cert-auth --auth-token-ttl 2 --bcrypt-cost 4
eventually 20 "etcd serves" grep -q "serving client traffic" "$work/etcd.log"
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=https://127.0.0.1:2379 ETCDCTL_CACERT=$pki/ca.pem ETCDCTL_CERT=$pki/operator.pem \
    ETCDCTL_KEY=$pki/operator.key
operate() { ip netns exec "$id" "$@" >"$work/operator" 2>&1 || fail "$*: $(cat "$work/operator")"; }
operate deploy/etcd/grant --password-file "$work/password"
holds "the next step, told" "$(cat "$work/operator")" 'auth enable'
[ "$(stat -c %a "$work/password")" = 600 ] || fail "a password that others can read"
operate deploy/etcd/grant --user tartan-admin --admin --password-file "$work/admin-password"
operate etcdctl user add root:rootpw
operate etcdctl user grant-role root root
operate etcdctl auth enable
export ETCDCTL_USER=root ETCDCTL_PASSWORD=rootpw
# Again, with authentication on, and a new password: the first one is no longer taken.
cp "$work/password" "$work/old-password"
echo "another-$$" >"$work/password"
operate deploy/etcd/grant --password-file "$work/password"

access=(--etcd-endpoints https://127.0.0.1:2379 --etcd-cafile "$work/ca.pem" --etcd-certfile "$work/node.pem" --etcd-keyfile "$work/node.key")
use_ca() { cp "$1/ca.pem" "$work/new" && mv "$work/new" "$work/ca.pem"; }
use_node() { for end in key pem; do cp "$1.$end" "$work/new.$end" && mv "$work/new.$end" "$work/node.$end"; done; }
use_password() { cp "$1" "$work/new" && mv "$work/new" "$work/secret"; }
use_ca "$pki"
use_node "$pki/node"
use_password "$work/password"

step "the role allows a node to lease, and not to write the network config, which the admin may"
refused=$(within "$programs/tartan" network init --network 10.244.0.0/16 "${access[@]}" --etcd-username tartan --etcd-password-file "$work/secret" 2>&1) &&
    fail "a node's user wrote the config"
holds "the refusal" "$refused" 'permission denied.*--etcd-username'
within "$programs/tartan" network init --network 10.244.0.0/16 "${access[@]}" --etcd-username tartan-admin --etcd-password-file "$work/admin-password" >/dev/null
! ETCDCTL_USER=tartan ETCDCTL_PASSWORD=$(cat "$work/password") within etcdctl put /other x >/dev/null 2>&1 || fail "the role reaches beyond the prefix"

# run NAME: a daemon of that name. It is asked for what it says of itself with: node_says NAME
run() {
    start "$1" within "$programs/tartand" "${access[@]}" --etcd-username tartan --etcd-password-file "$work/secret" --dataplane none \
        --public-ip "192.0.2.$((++count))" --node-name "$1" --subnet-file "$work/$1.env" --state-dir "$work/$1" --lease-ttl 10s \
        --api-listen "unix:$work/$1.sock" "${@:2}"
    daemon=$started
}
count=0
node_says() { curl -sf --unix-socket "$work/$1.sock" http://tartan/v1/node; }
is_ready() { "$programs/tartan" health --server "unix:$work/$1.sock"; }
says() { node_says "$1" | grep -qE "$2" && grep -qE "$2" "$work/$1.log"; }
end() { kill "$daemon"; wait "$daemon" || true; }

step "with everything right a daemon leases, and goes on although its token has expired"
run right --log-level info
eventually 20 "it is ready" is_ready right
lacks "a password in its arguments" "$(tr '\0' ' ' <"/proc/$daemon/cmdline")" "$(cat "$work/password")"
# Renewals need no token, and a watch outlives it: what does is to claim a lease again that somebody deleted.
eventually 20 "its token expires" grep -q '"deleted a simple token","user-name":"tartan"' "$work/etcd.log"
sleep 1
operate etcdctl del --prefix /coreos.com/network/subnets/
eventually 20 "a new token" grep -q "does not take its token any more, which expires; logging in again" "$work/right.log"
eventually 10 "it is ready" is_ready right
[ -n "$(within etcdctl get --prefix --keys-only /coreos.com/network/subnets/)" ] || fail "the lease is not back"

# fault WORDS PATTERN: what is wrong by now is said by a new daemon in the log and by /v1/node; mended by the command
# that follows, it becomes ready as the same process.
fault() {
    local pattern=$1
    shift
    run "faulty$count"
    local faulty="faulty$((count - 1))" before=$daemon
    eventually 20 "'$pattern' from the log and /v1/node" says "$faulty" "$pattern"
    ! is_ready "$faulty" >/dev/null 2>&1 || fail "it says that it is ready"
    "$@"
    eventually 20 "it is ready once that is mended" is_ready "$faulty"
    kill -0 "$before" || fail "it was started anew"
    end
}

step "a wrong password"
use_password "$work/old-password"
fault 'authentication failed.*check --etcd-username and the password in --etcd-password-file' use_password "$work/password"

step "a password file that is not there"
rm "$work/secret"
fault 'the password file .*secret can.t be read; check --etcd-password-file' use_password "$work/password"

step "a client certificate that has expired"
use_node "$pki/node-expired"
fault "this client's certificate, or wants one" use_node "$pki/node"

step "a client certificate of another authority"
use_node "$work/elsewhere/node"
fault "this client's certificate, or wants one" use_node "$pki/node"

step "a client certificate with a CommonName, which etcd's gateway takes for no user's"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=node -keyout "$work/cn.key" -out "$work/cn.csr" 2>/dev/null
openssl x509 -req -in "$work/cn.csr" -CA "$pki/ca.pem" -CAkey "$pki/ca.key" -set_serial 7 -out "$work/cn.pem" 2>/dev/null
use_node "$work/cn"
fault 'refuses a client certificate with a CommonName' use_node "$pki/node"

step "an authority that did not sign etcd's certificate"
use_ca "$work/elsewhere"
fault 'no secure connection: .*(self.signed certificate|unable to get local issuer certificate|verify)' use_ca "$pki"

step "an etcd whose certificate has expired"
use_server "$pki/etcd-expired"
fault 'no secure connection: .*certificate has expired' use_server "$pki/etcd"

step "a role that does not allow it"
operate etcdctl role revoke-permission --prefix=true tartan /coreos.com/network/
fault 'permission denied.*the role of --etcd-username must allow' operate etcdctl role grant-permission --prefix=true tartan read /coreos.com/network/

step "the daemon that ran all the while has its lease, and takes a new password and certificate for its next request"
operate etcdctl user passwd --interactive=false tartan <"$work/old-password"
use_password "$work/old-password"
DAYS=2 deploy/etcd/certificates "$pki" client node
use_node "$pki/node"
operate etcdctl del --prefix /coreos.com/network/subnets/
is_back() { [ -n "$(within etcdctl get --prefix --keys-only /coreos.com/network/subnets/)" ] && is_ready right; }
eventually 20 "its lease is back, with what is in the files now" is_back
holds "its phase" "$(node_says right)" '"phase":"(leased|renewing)"'
lacks "any secret in a log" "$(cat "$work"/*.log)" "$(cat "$work/password")|$(cat "$work/old-password")"

success
