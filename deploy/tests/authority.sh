#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two authorities side by side on one etcd, as they are shipped and asked over REST: 500 leases asked for through both at
# once are 500 subnets, each is renewed at the other one, and what one released the other gives out again.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

install_packages "${run_packages[@]}" "${test_packages[@]}" "${strip_packages[@]}"
need_programs
id=ta$$
tell() { for log in "$work"/*.log; do echo "--- ${log##*/}"; tail -n 4 "$log" | cut -c1-600; done; }
within() { ip netns exec "$id" "$@"; }
count=500

step "an etcd and two authorities, which hold no lease of their own and need no privilege"
namespace "$id"
etcd_in "$id" 127.0.0.1
eventually 20 "the network config is written" within "$programs/tartan" network init --network 10.244.0.0/15 \
    --etcd-endpoints http://127.0.0.1:2379
for number in 1 2; do
    start "authority$number" within setpriv --bounding-set=-all --inh-caps=-all "$programs/tartand" --dataplane none \
        --subnet-file none --node-name "authority$number" --state-dir "$work/state$number" --lease-ttl 60s \
        --etcd-endpoints http://127.0.0.1:2379 --api-listen "127.0.0.1:947$number"
    eventually 20 "authority$number is ready" within curl -fsS "http://127.0.0.1:947$number/readyz"
done
[ "$(within curl -fsS http://127.0.0.1:9471/v1/leases | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["items"]))')" = 0 ] ||
    fail "an authority leased for itself"

# requests FILE: what is in it, 64 at a time, each answer in a file of its own.
requests() { within curl --no-progress-meter --parallel --parallel-max 64 --parallel-immediate --config "$1"; }

step "$count leases asked for through both at once are $count subnets"
python3 - "$work" $count <<'END'
import json, sys
work, count = sys.argv[1], int(sys.argv[2])
with open(f"{work}/ask", "w") as config:
    for number in range(count):
        body = {"node": f"edge-{number}", "publicIP": f"192.168.{number // 250}.{number % 250 + 1}", "ttl": 60}
        config.write("next\n" if number else "")
        config.write(f'url = "http://127.0.0.1:947{number % 2 + 1}/v1/leases"\noutput = "{work}/lease{number}"\n')
        config.write('header = "Content-Type: application/json"\n')
        config.write(f'data = "{json.dumps(body)}"\n'.replace('"', '\\"').replace('data = \\"', 'data = "').replace('\\"\n', '"\n'))
END
start=$(date +%s%N)
requests "$work/ask"
say "    $(((($(date +%s%N) - start)) / 1000000)) ms for $count"
python3 - "$work" $count <<'END'
import json, sys
work, count = sys.argv[1], int(sys.argv[2])
leases = [json.load(open(f"{work}/lease{number}")) for number in range(count)]
refused = [lease for lease in leases if "token" not in lease]
assert not refused, f"refused: {refused[:3]}"
subnets = {lease["subnet"] for lease in leases}
assert len(subnets) == count, f"{count - len(subnets)} subnets have two owners"
with open(f"{work}/renew", "w") as config:
    for number, lease in enumerate(leases):
        config.write("next\n" if number else "")
        key = lease["subnet"].replace("/", "-")
        config.write(f'url = "http://127.0.0.1:947{2 - number % 2}/v1/leases/{key}/renew"\noutput = "{work}/renewed{number}"\n')
        config.write('header = "Content-Type: application/json"\nwrite-out = "%{http_code}\\n"\n')
        config.write(f'data = "{{\\"token\\":\\"{lease["token"]}\\"}}"\n')
print(leases[0]["subnet"].replace("/", "-"), leases[0]["modRevision"], file=open(f"{work}/first", "w"))
END
[ "$(within etcdctl --endpoints http://127.0.0.1:2379 get --prefix --keys-only /coreos.com/network/subnets/ | grep -c .)" = $count ] ||
    fail "etcd has another number of leases"

step "each is renewed at the other authority"
requests "$work/renew" >"$work/codes"
[ "$(grep -c '^200$' "$work/codes")" = $count ] || fail "renewals: $(sort "$work/codes" | uniq -c | tr '\n' ' ')"

step "what one releases, the other does not find"
read -r key revision <"$work/first"
within curl -fsS -X DELETE -H "If-Match: \"$revision\"" "http://127.0.0.1:9471/v1/leases/$key"
gone() { [ "$(within curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:9472/v1/leases/$key")" = 404 ]; }
eventually 10 "the other authority knows" gone
success
