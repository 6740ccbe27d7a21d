// SPDX-License-Identifier: Apache-2.0
// The leases, and how each cell of the grid looks.

/** How a cell looks; from DYES on one for each dye. */
const Look = { outside: 0, free: 1, reserved: 2, foreign: 3, own: 4, dyes: 5 };
const DYES = 7;

const encoder = new TextEncoder();

/** FNV-1a, as in `tartan map`: a node has the same dye in both. */
function dyeOf(name) {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % DYES;
}

function lookOf(lease) {
  if (lease.local) return Look.own;
  if (lease.kind === 'reservation') return Look.reserved;
  if (lease.owner !== 'tartan') return Look.foreign;
  return Look.dyes + dyeOf(lease.node ?? lease.publicIP ?? '');
}

/** The most telling of several in one cell is shown. */
const rank = (lease) => lease.local ? 3 : lease.kind === 'reservation' ? 1 : 2;

class LeaseBook {
  /** @param changed is called with each cell whose look has changed. */
  constructor(changed) {
    this.changed = changed;
    this.leases = new Map();
    this.generation = 0;
    this.outside = 0;
    this.own = null;
    this.lay(null);
  }

  /** Lays the leases out on another grid. */
  lay(space) {
    this.space = space;
    const count = space ? space.count : 0;
    this.tenants = new Array(count);
    this.looks = new Uint8Array(count).fill(Look.outside);
    this.tally = { leases: 0, foreign: 0, reserved: 0, own: 0 };
    this.cover = { used: 0, reserved: 0 };
    this.outside = 0;
    if (!space) return;
    this.looks.fill(Look.free, space.low, space.high + 1);
    for (const lease of this.leases.values()) this.place(lease, 1);
  }

  static key(lease) {
    return [lease.subnet, lease.ipv6Subnet].filter(Boolean).map((text) => text.replace('/', '-')).join('&');
  }

  put(lease) {
    const key = LeaseBook.key(lease);
    const known = this.leases.get(key);
    lease.key = key;
    lease.generation = this.generation;
    lease.expiry = known && known.modRevision === lease.modRevision ? known.expiry : undefined;
    if (known) this.place(known, -1);
    this.leases.set(key, lease);
    this.place(lease, 1);
    return known === undefined;
  }

  remove(key) {
    const known = this.leases.get(key);
    if (!known) return false;
    this.leases.delete(key);
    this.place(known, -1);
    return true;
  }

  /** A snapshot begins: what it does not name is gone when it ends. */
  beginSnapshot() { this.generation++; }

  endSnapshot() {
    for (const [key, lease] of this.leases) if (lease.generation !== this.generation) this.remove(key);
  }

  place(lease, step) {
    if (lease.local) this.own = step > 0 ? lease : this.own?.key === lease.key ? null : this.own;
    if (!this.space) return;
    const look = lookOf(lease);
    const kind = look === Look.reserved ? 'reserved' : look === Look.foreign ? 'foreign' : look === Look.own ? 'own' : 'leases';
    this.tally[kind] += step;
    const block = parsePrefix(this.space.family === 4 ? lease.subnet : lease.ipv6Subnet);
    const cells = block && block.family === this.space.family ? this.space.cells(block) : null;
    lease.cells = cells;
    if (!cells) {
      this.outside += step;
      return;
    }
    this.cover[look === Look.reserved ? 'reserved' : 'used'] += step * this.space.subnets(block);
    for (let cell = cells[0]; cell <= cells[1]; cell++) {
      const before = this.tenants[cell];
      let now;
      if (step > 0) now = before === undefined ? lease : Array.isArray(before) ? [...before, lease] : [before, lease];
      else if (Array.isArray(before)) {
        now = before.filter((other) => other !== lease);
        if (now.length === 1) now = now[0];
      }
      this.tenants[cell] = now;
      const first = this.first(cell);
      this.looks[cell] = first ? lookOf(first)
        : cell >= this.space.low && cell <= this.space.high ? Look.free : Look.outside;
      this.changed(cell);
    }
  }

  at(cell) {
    const tenants = this.tenants[cell];
    return tenants === undefined ? [] : Array.isArray(tenants) ? tenants : [tenants];
  }

  first(cell) {
    const tenants = this.tenants[cell];
    if (!Array.isArray(tenants)) return tenants;
    return tenants.reduce((best, lease) => rank(lease) > rank(best) ? lease : best);
  }

  /** Subnets of the range: a lease of another size takes each that it touches. */
  get use() {
    const size = this.space?.size ?? 0;
    const used = Math.min(this.cover.used, size);
    const reserved = Math.min(this.cover.reserved, size - used);
    return { size, used, reserved, free: size - used - reserved };
  }

  /** The leases that a person may mean: by node name, public address, or an address or block in the subnet. */
  find(query) {
    const text = query.trim().toLowerCase();
    if (!text) return [];
    const block = parsePrefix(text);
    const found = [];
    for (const lease of this.leases.values()) {
      const hit = block
        ? [lease.publicIP, lease.publicIPv6, lease.subnet, lease.ipv6Subnet].some((name) => name === text)
          || [lease.subnet, lease.ipv6Subnet].some((name) => {
            const subnet = name && parsePrefix(name);
            return subnet && subnet.family === block.family
              && (subnet.first <= block.first && block.last <= subnet.last
                || text.includes('/') && block.first <= subnet.first && subnet.last <= block.last);
          })
        : lease.node?.toLowerCase().includes(text) || lease.publicIP?.startsWith(text)
          || lease.publicIPv6?.startsWith(text) || lease.subnet?.startsWith(text) || lease.ipv6Subnet?.startsWith(text);
      if (hit) found.push(lease);
    }
    return found.sort((a, b) => (a.cells?.[0] ?? 1e9) - (b.cells?.[0] ?? 1e9));
  }
}
