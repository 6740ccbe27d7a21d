# SPDX-License-Identifier: Apache-2.0
"""How smooth the map is: `python3 measure.py TARTAND [LEASES]`. A real tartand and etcd; 65,536 subnets, 1,000 changes a second."""

import json
import sys
import threading
import time

from chromium import Chromium
from cluster import Cluster, lease

WATCH = """
globalThis.seen = { tasks: [], frames: [] };
new PerformanceObserver((list) => { for (const task of list.getEntries()) seen.tasks.push(Math.round(task.duration)); })
    .observe({ type: 'longtask', buffered: true });
let before;
(function tick(now) { if (before !== undefined) seen.frames.push(now - before); before = now; requestAnimationFrame(tick); })();
"""

TELL = """(() => { const frames = [...seen.frames].sort((a, b) => a - b); const at = (share) => frames[Math.floor((frames.length - 1) * share)];
    const told = { frames: frames.length, median: at(0.5), p99: at(0.99), longest: at(1), longTasks: seen.tasks };
    seen.tasks = []; seen.frames = []; return told; })()"""


def subnets(count):
    return [f"10.{index >> 8}.{index & 255}.0-24" for index in range(1, count + 1)]


def churn(etcd, names, grant, seconds):
    """20 transactions of 50 changes a second: a third of the leases goes, two thirds come or change owner."""
    start = time.monotonic()
    done = 0
    for step in range(seconds * 20):
        part = [names[(step * 50 + i) * 7919 % len(names)] for i in range(50)]
        part = list(dict.fromkeys(part))
        if step % 3 == 2:
            etcd.delete(part)
        else:
            etcd.put({name: lease(f"new-{step}-{i}", step * 50 + i) for i, name in enumerate(part)}, grant)
        done += len(part)
        time.sleep(max(0, start + (step + 1) / 20 - time.monotonic()))
    return done / (time.monotonic() - start)


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 65_000
    with Cluster(sys.argv[1], {"Network": "10.0.0.0/8", "SubnetLen": 24, "Backend": {"Type": "vxlan"}}) as cluster, Chromium() as browser:
        own = cluster.own_subnet()
        names, grant = [name for name in subnets(count) if name != own], cluster.etcd.grant(86_400)
        cluster.etcd.put({name: lease(f"node-{number}", number) for number, name in enumerate(names)}, grant)
        time.sleep(3)
        page = browser.page(script=WATCH)
        page.open(cluster.url)
        page.until("performance.getEntriesByName('tartan-drawn').length", limit=60)
        marks = page.run("Object.fromEntries(performance.getEntriesByType('mark').map((mark) => [mark.name, Math.round(mark.startTime)]))")
        time.sleep(1)
        print("fill", json.dumps({"leases": page.text("count-leases"), **marks, **page.run(TELL)}))
        rates = []
        worker = threading.Thread(target=lambda: rates.append(churn(cluster.etcd, names, grant, 10)))
        worker.start()
        worker.join()
        print("churn", json.dumps({"changes a second": round(rates[0]), **page.run(TELL)}))
        print("elements", page.run("document.querySelectorAll('*').length"), "heap MiB", page.run("Math.round(performance.memory.usedJSHeapSize / 2 ** 20)"))


if __name__ == "__main__":
    main()
