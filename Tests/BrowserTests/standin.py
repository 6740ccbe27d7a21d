# SPDX-License-Identifier: Apache-2.0
"""The page of a real daemon over an interface that a test plays: what no small cluster has, such as 65,536 leases."""

import http.server
import json
import queue
import threading
import urllib.request


class StandIn:
    def __init__(self, url, network, node=None, leases=(), token=None):
        with urllib.request.urlopen(url, timeout=10) as answer:
            self.page = answer.read()
            self.policy = answer.headers["Content-Security-Policy"]
        self.network, self.token = network, token
        self.items = json.dumps(list(leases), separators=(",", ":"))
        self.node = node or {"name": "n1", "version": "1", "publicIP": None, "phase": "leased", "ready": True, "lease": None,
                             "deadline": None, "backend": None, "device": None, "mtu": None, "problems": []}
        self.revision = 1
        self.streams = []
        self.asked = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def send(self, events):
        """events: [(name, lease)]"""
        text = ""
        for name, lease in events:
            self.revision += 1
            text += f"event: {name}\ndata: {json.dumps(lease)}\nid: {self.revision}\n\n"
        for stream in self.streams:
            stream.put(text.encode())

    def cut(self):
        for stream in self.streams:
            stream.put(None)
        self.streams = []

    def close(self):
        self.cut()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def handler(standin):
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, status, kind, body, **headers):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                standin.asked.append((self.path, dict(self.headers)))
                if self.path == "/":
                    return self.answer(200, "text/html; charset=utf-8", standin.page, Content_Security_Policy=standin.policy)
                if standin.token and self.headers.get("Authorization") != f"Bearer {standin.token}":
                    body = json.dumps({"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "give a token"})
                    return self.answer(401, "application/problem+json", body.encode(), WWW_Authenticate="Bearer")
                if self.path in ("/v1/network", "/v1/node"):
                    document = standin.network if self.path == "/v1/network" else standin.node
                    return self.answer(200, "application/json", json.dumps(document).encode())
                if self.path == "/v1/leases":
                    return self.stream()
                return self.answer(404, "application/problem+json", b'{"detail":"no"}')

            def stream(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                mine = queue.Queue()
                try:
                    if self.headers.get("Last-Event-ID"):
                        self.wfile.write(b": resumed\n\n")
                    else:
                        self.wfile.write(f"retry: 300\n\nevent: snapshot\nid: {standin.revision}\ndata: "
                                         f'{{"revision":"{standin.revision}","items":{standin.items}}}\n\n'.encode())
                    standin.streams.append(mine)
                    while (chunk := mine.get()) is not None:
                        self.wfile.write(chunk)
                except OSError:
                    pass
                finally:
                    if mine in standin.streams:
                        standin.streams.remove(mine)

        return Handler


def lease(subnet, node="n2", ip="192.168.1.2", kind="lease", owner="tartan", local=False, ipv6=None, revision=1):
    return {"subnet": subnet, "ipv6Subnet": ipv6, "node": node, "publicIP": ip, "publicIPv6": None, "kind": kind,
            "owner": owner, "backend": {"type": "vxlan", "vni": 1, "vtepMAC": "02:00:00:00:00:01"},
            "etcdLease": None if kind == "reservation" else "1f", "createRevision": str(revision),
            "modRevision": str(revision), "expiresAt": None, "local": local}


def network(cidr, length, first=None, last=None, ipv6=None):
    """The document of an IPv4 network (10.0.0.0/8), or of one with `ipv6` = (network, length, first, last) as well or alone."""
    config = {"Backend": {"Type": "vxlan"}}
    ranges = {"range": None, "ipv6Range": None}
    if cidr:
        config.update(Network=cidr, SubnetLen=length, SubnetMin=first, SubnetMax=last)
        ranges["range"] = {"first": f"{first}/{length}", "last": f"{last}/{length}", "subnetLength": length, "size": 1}
    if ipv6:
        whole, size, low, high = ipv6
        config.update(EnableIPv6=True, IPv6Network=whole, IPv6SubnetLen=size)
        ranges["ipv6Range"] = {"first": f"{low}/{size}", "last": f"{high}/{size}", "subnetLength": size, "size": 1}
    return {"revision": "1", "config": config, "problem": None, **ranges, "used": 0, "reserved": 0, "free": 0}
