# SPDX-License-Identifier: Apache-2.0
"""A real etcd with leases in it, and a real tartand over it that leaves the host alone."""

import base64
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

PREFIX = "/coreos.com/network"


def die_with_us():
    """In a child: what starts here never outlives the tests, however they end."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, prctl(2)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def stop(process):
    for kind in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(kind)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue


class Etcd:
    def __init__(self, folder):
        self.folder = folder
        client, peer = free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{client}"
        log = open(f"{folder}/etcd.log", "wb")
        self.process = subprocess.Popen(
            ["etcd", "--data-dir", f"{folder}/etcd", "--listen-client-urls", self.endpoint, "--advertise-client-urls",
             self.endpoint, "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls",
             f"http://127.0.0.1:{peer}", "--initial-cluster", f"default=http://127.0.0.1:{peer}",
             "--unsafe-no-fsync" if self.can_skip_fsync() else "--force-new-cluster=false"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_us)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.post("/v3/kv/range", {"key": encode("/")})
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    stop(self.process)
                    raise
                time.sleep(0.05)

    @staticmethod
    def can_skip_fsync():
        return "unsafe-no-fsync" in subprocess.run(["etcd", "--help"], capture_output=True, text=True).stdout

    def post(self, path, body):
        request = urllib.request.Request(self.endpoint + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def grant(self, seconds):
        return self.post("/v3/lease/grant", {"TTL": seconds})["ID"]

    def config(self, config):
        self.post("/v3/kv/put", {"key": encode(f"{PREFIX}/config"), "value": encode(json.dumps(config))})

    def put(self, leases, grant=None):
        """leases: {"10.244.1.0-24": value}; all that fit at once."""
        self.write([{"request_put": {"key": encode(f"{PREFIX}/subnets/{subnet}"), "value": encode(json.dumps(value)),
                                     **({"lease": grant} if grant else {})}} for subnet, value in leases.items()])

    def delete(self, subnets):
        self.write([{"request_delete_range": {"key": encode(f"{PREFIX}/subnets/{subnet}")}} for subnet in subnets])

    def write(self, operations):
        for start in range(0, len(operations), 128):
            self.post("/v3/kv/txn", {"success": operations[start:start + 128]})


def encode(text):
    return base64.b64encode(text.encode()).decode()


def lease(node, number, owner="tartan"):
    address = f"172.{16 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
    mac = "02:" + ":".join(f"{number >> shift & 255:02x}" for shift in (32, 24, 16, 8, 0))
    value = {"PublicIP": address, "PublicIPv6": None, "BackendType": "vxlan", "BackendData": {"VNI": 1, "VtepMAC": mac}}
    if owner:
        value.update({"NodeName": node, "Owner": owner})
    return value


class Cluster:
    def __init__(self, tartand, config=None, options=(), node="n1"):
        self.tartand, self.options, self.node = tartand, list(options), node
        self.folder = tempfile.mkdtemp(prefix="tartan-browser-")
        self.daemon = None
        self.etcd = None
        try:
            self.etcd = Etcd(self.folder)
            if config:
                self.etcd.config(config)
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self, port=0):
        log = f"{self.folder}/tartand.log"
        with open(log, "wb") as file:
            self.daemon = subprocess.Popen(
                [self.tartand, "--etcd-endpoints", self.etcd.endpoint, "--dataplane", "none", "--node-name", self.node,
                 "--public-ip", "192.168.0.1", "--api-listen", f"127.0.0.1:{port}", "--state-dir", f"{self.folder}/state",
                 "--subnet-file", f"{self.folder}/subnet.env", *self.options],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, preexec_fn=die_with_us)
        deadline = time.monotonic() + 20
        while True:
            with open(log, errors="replace") as file:
                said = file.read()
            found = re.search(r"address=\"?127\.0\.0\.1:(\d+)", said)
            if found:
                self.port = int(found.group(1))
                self.url = f"http://127.0.0.1:{self.port}/"
                return
            if time.monotonic() > deadline or self.daemon.poll() is not None:
                raise RuntimeError(f"tartand does not listen: {said[-2000:]}")
            time.sleep(0.03)

    def own_subnet(self):
        """As in its key; whoever writes many leases must leave it alone."""
        deadline = time.monotonic() + 20
        while True:
            with urllib.request.urlopen(self.url + "v1/node", timeout=10) as answer:
                held = json.load(answer)["lease"]
            if held:
                return held["subnet"].replace("/", "-")
            if time.monotonic() > deadline:
                raise RuntimeError("tartand has no lease yet")
            time.sleep(0.05)

    def stop_daemon(self):
        if self.daemon:
            stop(self.daemon)
            self.daemon = None

    def close(self):
        self.stop_daemon()
        if self.etcd:
            stop(self.etcd.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
