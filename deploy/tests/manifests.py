# SPDX-License-Identifier: Apache-2.0
"""What the schemas do not say of the manifests, the compose files and the Containerfile. Run by manifests.sh."""
import json
import pathlib
import re
import sys

import yaml

folder = pathlib.Path("deploy/kubernetes")
known = {
    name["name"]
    for argument in json.load(open(sys.argv[1]))["command"]["arguments"]
    for name in argument["names"]
    if name["kind"] == "long"
}
faults = []


def check(condition, fault):
    if not condition:
        faults.append(fault)


def options(words, where):
    for word in words:
        found = re.match(r"--([a-z0-9-]+)", word)
        if found:
            check(found[1] in known, f"{where}: tartand has no option --{found[1]}")


class Strict(yaml.SafeLoader):
    """Two keys of one name are an error, as they are to Kubernetes."""

    def construct_mapping(self, node, deep=False):
        self.flatten_mapping(node)
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(keys) != len(set(map(str, keys))) and not any(key.tag.endswith("merge") for key, _ in node.value):
            raise yaml.YAMLError(f"a key twice among {keys}")
        return super().construct_mapping(node, deep)


def load(path):
    return list(yaml.load_all(path.read_text(), Strict))


# kustomize
kustomization = load(folder / "kustomization.yaml")[0]
files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
check(set(kustomization["resources"]) == files, "kustomization.yaml does not name exactly the files beside it")
objects = {(o["kind"], o["metadata"]["name"]): o for f in kustomization["resources"] for o in load(folder / f)}
for (kind, name), one in objects.items():
    check(kind == "Namespace" or one["metadata"].get("namespace") == kustomization["namespace"], f"{kind} {name}: namespace")

# The pod
spec = objects["DaemonSet", "tartan"]["spec"]
template = spec["template"]
check(spec["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items(), "the selector matches not its pods")
pod = template["spec"]
check(pod["hostNetwork"] and pod["priorityClassName"] == "system-node-critical", "host network or priority")
check(pod["automountServiceAccountToken"] is False, "a token is mounted that nobody needs")
check(("ServiceAccount", pod["serviceAccountName"]) in objects, "the service account is not there")
volumes = {volume["name"]: volume for volume in pod["volumes"]}
for volume in volumes.values():
    if "configMap" in volume:
        check(("ConfigMap", volume["configMap"]["name"]) in objects, f"{volume}: no such ConfigMap")
    if "secret" in volume:
        check(("Secret", volume["secret"]["secretName"]) in objects, f"{volume}: no such Secret")
mounted = set()
for container in pod["containers"] + pod["initContainers"]:
    context = container["securityContext"]
    rights = context["capabilities"]
    check(rights["drop"] == ["ALL"] and context["readOnlyRootFilesystem"], f"{container['name']}: rights")
    check(context["allowPrivilegeEscalation"] is False and not context.get("privileged"), f"{container['name']}: escalation")
    check("requests" in container["resources"] and "memory" in container["resources"]["limits"], f"{container['name']}: resources")
    for mount in container["volumeMounts"]:
        check(mount["name"] in volumes, f"{container['name']}: no volume {mount['name']}")
        mounted.add(mount["name"])
check(mounted == set(volumes), "a volume that nobody mounts")
daemon, installer = pod["containers"][0], pod["initContainers"][0]
check(daemon["securityContext"]["capabilities"].get("add") == ["NET_ADMIN"], "tartand may more or less than NET_ADMIN")
check("add" not in installer["securityContext"]["capabilities"], "the init container has capabilities")
check({"livenessProbe", "readinessProbe"} <= set(daemon), "a probe is missing")
check(installer["args"][0].count("mv -f") == 2, "the plugin is not renamed into place")

# Options: of the arguments, the environment, the config file, and the files that those name
options(daemon["args"], "daemonset.yaml")
for variable in daemon["env"]:
    option = variable["name"].removeprefix("TARTAN_").lower().replace("_", "-")
    check(option in known, f"daemonset.yaml: {variable['name']} is no option's")
config = objects["ConfigMap", "tartan"]["data"]
daemon_config = yaml.load(config["tartand.yaml"], Strict)
for key, value in daemon_config.items():
    check(key in known, f"configmap.yaml: tartand has no option {key}")
    if str(value).startswith("/etc/tartan/etcd/"):
        check(value.rsplit("/", 1)[1] in objects["Secret", "tartan-etcd"]["stringData"], f"configmap.yaml: {value} is not in the secret")
json.loads(config["10-tartan.conflist"])

# Elsewhere
package_config = pathlib.Path("deploy/deb/tartand.yaml").read_text()
for key in re.findall(r"^# ([a-z0-9-]+): \S", package_config, re.M):
    check(key in known, f"deploy/deb/tartand.yaml: tartand has no option {key}")
uncommented = re.sub(r"^# ([a-z0-9-]+: \S)", r"\1", package_config, flags=re.M)
yaml.load(uncommented, Strict)
for path in ["deploy/Containerfile", "deploy/systemd/tartand.service", *map(str, pathlib.Path("deploy/systemd/examples").glob("flannel*"))]:
    for line in pathlib.Path(path).read_text().splitlines():
        if not line.startswith("#") and "tartand" in line and "swift" not in line:
            options(re.findall(r"--[a-z0-9-]+", line), path)
compose = load(pathlib.Path("deploy/compose.yaml"))[0]
options(compose["services"]["tartand"]["command"], "deploy/compose.yaml")
members = [name for name in compose["services"] if name.startswith("etcd")]
check(len(members) == 3, "deploy/compose.yaml: three members")
for name in members:
    words = dict(word[2:].split("=", 1) for word in compose["services"][name]["command"][1:])
    check(words["name"] == name and f"//{name}:2379" in words["advertise-client-urls"], f"deploy/compose.yaml: {name}")
    check(words["initial-cluster"] == ",".join(f"{m}=http://{m}:2380" for m in members), f"deploy/compose.yaml: {name}'s cluster")
    check(f"http://{name}:2379" in " ".join(compose["services"]["tartand"]["command"]), f"deploy/compose.yaml: tartand misses {name}")
check(compose["services"]["tartand"]["cap_drop"] == ["ALL"], "deploy/compose.yaml: capabilities")
load(pathlib.Path("deploy/compose.test.yaml"))

for fault in faults:
    print("manifests.py:", fault, file=sys.stderr)
sys.exit(1 if faults else 0)
