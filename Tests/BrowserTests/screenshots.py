# SPDX-License-Identifier: Apache-2.0
"""Takes the README's pictures of the map: `python3 screenshots.py TARTAND FOLDER`. A real tartand and etcd that fill while it looks."""

import random
import sys
import time

from chromium import Chromium
from cluster import Cluster, lease

LIVE = "document.getElementById('state').dataset.state === 'live' && document.getElementById('count-own').textContent === '1'"


def fill(cluster, steps=8):
    """120 leases, some of flannel's, and a few reservations, in steps that the chart can show."""
    choose = random.Random(14)
    own = cluster.own_subnet()
    free = [name for name in (f"10.244.{third}.0-24" for third in range(1, 256)) if name != own]
    names = choose.sample(free[:150], 88) + choose.sample(free[150:], 32)
    grant = cluster.etcd.grant(86_400)
    leased = []
    for step in range(steps):
        for number, name in list(enumerate(names))[step::steps]:
            kind = choose.random()
            leased += [name] if 0.15 <= kind <= 0.93 else []
            value = lease(f"node-{number:03}", number + 10, owner=None if kind < 0.15 else "tartan")
            cluster.etcd.put({name: value}, None if kind > 0.93 else grant)
        time.sleep(0.8)
    return leased


def main():
    tartand, folder = sys.argv[1:]
    with Cluster(tartand, {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}) as cluster, Chromium() as browser:
        pages = {}
        for name, scheme, size in (("map-light", "light", (1280, 872)), ("map-dark", "dark", (1280, 872))):
            page = pages[name] = browser.page(*size)
            page.prefer(color_scheme=scheme, reduced_motion="reduce")
            page.open(cluster.url)
            page.until(LIVE)
        name_of_one = fill(cluster)[42].replace("-", "/")
        for name, page in pages.items():
            page.press("/")
            page.type(name_of_one)
            page.press("Enter")
            page.press("Escape")
            page.until("[...document.querySelectorAll('#facts dd')].pop().textContent.startsWith('in 23 h')")
            time.sleep(0.3)
            # As PNG the threads take 200 KiB each.
            size = page.picture(f"{folder}/{name}.webp", "webp", quality=70)
            print(f"{folder}/{name}.webp: {size // 1024} KiB")
            if said := page.complaints():
                raise SystemExit(f"the page complains: {said}")


if __name__ == "__main__":
    main()
