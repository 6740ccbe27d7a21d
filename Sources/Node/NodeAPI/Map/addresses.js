// SPDX-License-Identifier: Apache-2.0
// Addresses, prefixes, and the grid of subnets. IPv4 in numbers, IPv6 in BigInt; whatever can't be read is null.

function parseIPv4(text) {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let value = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || part > 255) return null;
    value = value * 256 + Number(part);
  }
  return value;
}

function parseIPv6(text) {
  const halves = text.split('::');
  if (halves.length > 2 || !/^[0-9a-f:.]*$/i.test(text)) return null;
  const groups = (half) => {
    if (half === '' || half === undefined) return [];
    const parts = half.split(':');
    const last = parts[parts.length - 1];
    if (last.includes('.')) {
      const value = parseIPv4(last);
      if (value === null) return null;
      parts.splice(-1, 1, Math.floor(value / 65536).toString(16), (value % 65536).toString(16));
    }
    return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part)) ? parts : null;
  };
  const head = groups(halves[0]);
  const tail = groups(halves[1]);
  if (!head || !tail) return null;
  const gap = 8 - head.length - tail.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return null;
  let value = 0n;
  for (const part of [...head, ...Array(gap).fill('0'), ...tail]) value = value << 16n | BigInt('0x' + part);
  return value;
}

/** `10.244.20.0/24` -> {family, first, last, length}; an address alone is a prefix of one address. */
function parsePrefix(text) {
  if (typeof text !== 'string') return null;
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const isIPv6 = address.includes(':');
  const width = isIPv6 ? 128 : 32;
  const length = slash < 0 ? width : /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : -1;
  if (length < 0 || length > width) return null;
  if (isIPv6) {
    const value = parseIPv6(address);
    if (value === null) return null;
    const size = 1n << BigInt(128 - length);
    const first = value - value % size;
    return { family: 6, first, last: first + size - 1n, length };
  }
  const value = parseIPv4(address);
  if (value === null) return null;
  const size = 2 ** (32 - length);
  const first = value - value % size;
  return { family: 4, first, last: first + size - 1, length };
}

function formatAddress(family, value) {
  if (family === 4) return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
  const groups = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push((value >> shift & 0xffffn).toString(16));
  // RFC 5952: the longest run of two or more zeros.
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === '0') end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    if (end > i) i = end;
  }
  if (best.start < 0) return groups.join(':');
  return groups.slice(0, best.start).join(':') + '::' + groups.slice(best.start + best.length).join(':');
}

/** The network as cells in a row: a subnet each, or several where there are more than 65,536. */
class Space {
  static of(network) {
    const config = network.config;
    if (!config) return null;
    const isIPv4 = Boolean(config.Network && network.range);
    const range = isIPv4 ? network.range : network.ipv6Range;
    const whole = parsePrefix(isIPv4 ? config.Network : config.IPv6Network);
    const first = range && parsePrefix(range.first);
    const last = range && parsePrefix(range.last);
    if (!whole || !first || !last) return null;
    return new Space(whole, first, last, range.subnetLength, isIPv4 ? config.Network : config.IPv6Network);
  }

  constructor(whole, first, last, subnetLength, name) {
    Object.assign(this, { family: whole.family, base: whole.first, whole, subnetLength, name });
    const bits = Math.max(0, subnetLength - whole.length);
    this.cellLength = whole.length + Math.min(16, bits);
    this.count = 2 ** Math.min(16, bits);
    /** Subnets to a cell. */
    this.each = 2 ** (subnetLength - this.cellLength);
    const width = this.family === 4 ? 32 : 128;
    this.cellSize = this.family === 4 ? 2 ** (width - this.cellLength) : 1n << BigInt(width - this.cellLength);
    this.subnetSize = this.family === 4 ? 2 ** (width - subnetLength) : 1n << BigInt(width - subnetLength);
    this.range = { first: first.first, last: last.last };
    [this.low, this.high] = this.cells(this.range) ?? [0, this.count - 1];
    /** Subnets that are given out. */
    this.size = this.subnets(this.range);
    this.key = [name, subnetLength, first.first, last.last].join(' ');
  }

  /** The first and the last cell that a block touches; null where it lies elsewhere. */
  cells(block) {
    if (block.last < this.whole.first || block.first > this.whole.last) return null;
    const place = (value) => this.family === 4
      ? Math.floor((value - this.base) / this.cellSize) : Number((value - this.base) / this.cellSize);
    return [
      block.first < this.whole.first ? 0 : place(block.first),
      block.last > this.whole.last ? this.count - 1 : place(block.last),
    ];
  }

  /** How many subnets of the range a block touches. */
  subnets(block) {
    const first = block.first > this.range.first ? block.first : this.range.first;
    const last = block.last < this.range.last ? block.last : this.range.last;
    if (first > last) return 0;
    return this.family === 4
      ? Math.floor((last - this.base) / this.subnetSize) - Math.floor((first - this.base) / this.subnetSize) + 1
      : Number((last - this.base) / this.subnetSize - (first - this.base) / this.subnetSize) + 1;
  }

  address(cell) {
    return formatAddress(this.family, this.family === 4
      ? this.base + cell * this.cellSize : this.base + BigInt(cell) * this.cellSize);
  }

  prefix(cell) { return `${this.address(cell)}/${this.cellLength}`; }
}
