// SPDX-License-Identifier: Apache-2.0
// What a subnet is, in words.

function kindOf(lease) {
  if (lease.local) return 'This node';
  if (lease.kind === 'reservation') return 'Reservation';
  return lease.owner === 'tartan' ? 'Lease' : lease.owner ? `Lease of ${lease.owner}` : 'Lease of flannel';
}

const holderOf = (lease) => lease.node ?? lease.publicIP;

function timeLeft(expiry) {
  const seconds = Math.round((expiry - Date.now()) / 1000);
  if (seconds <= 0) return 'now, unless it was renewed';
  const parts = [[Math.floor(seconds / 86_400), 'd'], [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'], [seconds % 60, 's']].filter(([count]) => count > 0).slice(0, 2);
  return `in ${parts.map(([count, unit]) => `${count} ${unit}`).join(' ')}`;
}

function expiryOf(lease) {
  if (lease.kind === 'reservation') return 'never';
  const expiry = lease.local && node?.deadline ? Date.parse(node.deadline) : lease.expiry;
  if (expiry === undefined) return 'asking etcd';
  return expiry === null || Number.isNaN(expiry) ? 'etcd did not say' : timeLeft(expiry);
}

/** A lease that nobody renewed ends within a minute, as far as is known: of the lease looked at, and of this node's. */
function isEnding(lease) {
  const expiry = lease.local && node?.deadline ? Date.parse(node.deadline) : lease.expiry;
  return lease.kind !== 'reservation' && typeof expiry === 'number' && expiry - Date.now() < 60_000
    || lease.local && node?.phase === 'fenced';
}

function facts(lease) {
  const backend = lease.backend ?? {};
  return [
    ['Subnet', lease.subnet], ['IPv6 subnet', lease.ipv6Subnet], ['Node', lease.node ?? 'not told'],
    ['Public IP', lease.publicIP], ['Public IPv6', lease.publicIPv6],
    ['Backend', [backend.type, backend.vni != null && `VNI ${backend.vni}`, backend.vtepMAC].filter(Boolean).join(', ')],
    ['Revision', lease.modRevision === lease.createRevision ? lease.modRevision : `${lease.modRevision}, made at ${lease.createRevision}`],
    ['Ends', expiryOf(lease) + (isEnding(lease) ? ': about to end' : '')],
  ].filter(([, value]) => value);
}

/** One cell in one sentence, for ears and for the tag at the pointer. */
function sentence(cell) {
  const space = book.space;
  const leases = book.at(cell);
  if (!leases.length) return book.looks[cell] === Look.free ? `${space.prefix(cell)}, free` : `${space.prefix(cell)}, not given out`;
  const lease = book.first(cell);
  const more = leases.length > 1 ? `, and ${plural(leases.length - 1, 'more', 'more')}` : '';
  return `${space.each > 1 || leases.length > 1 ? `${space.prefix(cell)}, ` : ''}${lease.ipv6Subnet && space.family === 6 ? lease.ipv6Subnet : lease.subnet}, `
    + `${kindOf(lease).toLowerCase()}${lease.local ? '' : ` ${lease.kind === 'reservation' ? 'for' : 'held by'} ${holderOf(lease)}`}${more}`;
}
