#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What can be told of the unit, the manifests and the compose files without a cluster: that they are of the published
# schemas, that every option in them exists, and that they ask for no more rights than they say. Quick.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

install_packages "${run_packages[@]}" "${strip_packages[@]}" "${deploy_packages[@]}"
need_programs

step "systemd has nothing against the unit, and rates what it exposes under 3.0"
mkdir -p "$work/root/etc/systemd/system" "$work/root/usr/sbin"
cp "$programs/tartand" "$work/root/usr/sbin/"
cp deploy/systemd/tartand.service "$work/root/etc/systemd/system/"
# The units that it names must be there to be verified against.
for unit in sysinit.target basic.target multi-user.target network-online.target nss-lookup.target shutdown.target; do
    cp /lib/systemd/system/$unit "$work/root/etc/systemd/system/"
done
cp -r /lib/systemd/system/. "$work/root/etc/systemd/system/" 2>/dev/null || true
verify() { systemd-analyze verify --root="$work/root" --man=no "$work/root/etc/systemd/system/tartand.service" 2>&1 | grep -i tartan || true; }
[ -z "$(verify)" ] || fail "$(verify)"
mkdir "$work/root/etc/systemd/system/tartand.service.d"
cp deploy/systemd/examples/flanneld-options.conf "$work/root/etc/systemd/system/tartand.service.d/"
[ -z "$(verify)" ] || fail "with the example of flanneld's options: $(verify)"
echo 'NoSuchSetting=1' >>"$work/root/etc/systemd/system/tartand.service.d/flanneld-options.conf"
[ -n "$(verify)" ] || fail "systemd-analyze finds nothing wrong with nonsense"
# In hundredths; systemd-analyze compares with "more than".
rating=$(systemd-analyze security --offline=true --threshold=29 --no-pager deploy/systemd/tartand.service 2>&1) || fail "$rating"
say "  $(tail -n 1 <<<"$rating")"

step "Kubernetes' own schemas allow every manifest"
schemas=${TARTAN_TEST_CACHE:-/tmp/tartan-test-cache}/kubernetes-1.37.0
if [ ! -e "$schemas/done" ]; then
    say "getting the schemas from PyPI"
    python3 -m venv --clear "$schemas"
    "$schemas/bin/pip" install -q kubernetes-validate==1.37.0 >"$work/pip.log" 2>&1 || fail "$(tail -n 3 "$work/pip.log")"
    touch "$schemas/done"
fi
for version in 1.28 1.33; do
    for manifest in deploy/kubernetes/*.yaml; do
        [ "${manifest##*/}" = kustomization.yaml ] ||
            "$schemas/bin/kubernetes-validate" --strict --kubernetes-version $version --quiet "$manifest" >"$work/validate" 2>&1 ||
            fail "$manifest, Kubernetes $version: $(cat "$work/validate")"
    done
done
# What the schema does not say, and what would be taken for the schema's pass if it could not fail.
sed 's/hostNetwork: true/hostNetwork: maybe/' deploy/kubernetes/daemonset.yaml >"$work/wrong.yaml"
! "$schemas/bin/kubernetes-validate" --strict --quiet "$work/wrong.yaml" >/dev/null 2>&1 || fail "the schemas find nothing wrong with nonsense"

step "the manifests hang together, ask for NET_ADMIN alone, and name only options that exist"
"$programs/tartand" --experimental-dump-help >"$work/tartand.json"
python3 deploy/tests/manifests.py "$work/tartand.json"

step "the compose files are of the compose schema, and hang together"
for file in deploy/compose.yaml deploy/compose.test.yaml; do
    # Of 2021, it does not know of 'name', which the specification has had since.
    sed '/^name: /d' $file >"deploy/.${file##*/}.check"
    later "rm -f 'deploy/.${file##*/}.check'"
    docker-compose -f "deploy/.${file##*/}.check" config --quiet 2>"$work/compose.log" || fail "$file: $(cat "$work/compose.log")"
done

success
