// SPDX-License-Identifier: Apache-2.0
// Joins leases, cloth and page. Whatever the daemon says gets into the page as text, never as markup.

const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const number = new Intl.NumberFormat('en');
const plural = (count, one, many = one + 's') => `${number.format(count)} ${count === 1 ? one : many}`;

const daemon = new Daemon();
const history = new History();
const systemTheme = matchMedia('(prefers-color-scheme: dark)');
let weave;
const book = new LeaseBook((cell) => weave.touch(cell));
weave = new Weave($('ground'), $('marks'), book);

let network = null;
let node = null;
let chosen = 0;
let hovered = -1;
let finds = [];
let findAt = -1;
let isFilled = false;
let isLive = false;
let wantsPage = false;

const theme = () => root.dataset.theme ?? (systemTheme.matches ? 'dark' : 'light');

// Words for ears: the newest, at most one every 1.2 s.
let spoken = 0;
let toSay = null;
let sayTimer = 0;
function say(words) {
  toSay = words;
  if (sayTimer) return;
  sayTimer = setTimeout(() => {
    sayTimer = 0;
    spoken = performance.now();
    if (toSay !== null) $('say').textContent = toSay;
    toSay = null;
  }, Math.max(150, 1200 - (performance.now() - spoken)));
}

const changes = { added: 0, updated: 0, removed: 0 };
setInterval(() => {
  const words = Object.entries(changes).filter(([, count]) => count).map(([name, count]) => `${number.format(count)} ${name}`);
  if (words.length) say(`Leases: ${words.join(', ')}.`);
  for (const name of Object.keys(changes)) changes[name] = 0;
}, 10_000);

// What changes at every moment: once a frame at most, however many events.

function update() {
  if (wantsPage) return;
  wantsPage = true;
  setTimeout(() => {
    wantsPage = false;
    showPage();
  }, 100);
}

function showPage() {
  const { size, used, reserved, free } = book.use;
  const share = size ? (used + reserved) / size : 0;
  $('percent').textContent = `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
  $('counts').textContent = `${number.format(used)} leased, ${number.format(reserved)} reserved, ${number.format(free)} free`;
  if (isFilled) history.add(share);
  showChart(share);
  const { leases, foreign, reserved: reservations, own } = book.tally;
  const counts = { leases, foreign, reserved: reservations, own, free };
  for (const [name, count] of Object.entries(counts)) {
    const output = $(`count-${name}`);
    if (output) output.textContent = number.format(count);
  }
  const rings = [];
  if (book.own?.cells) rings.push({ cell: book.own.cells[0], kind: isEnding(book.own) ? 'ending' : 'own' });
  const looked = book.space && book.first(shown());
  if (looked?.cells && !looked.local && isEnding(looked)) rings.push({ cell: looked.cells[0], kind: 'ending' });
  if (weave.found && weave.found.size <= 300) for (const cell of weave.found) rings.push({ cell, kind: 'find' });
  weave.rings = rings;
  weave.mark();
  showRemark();
  showDetails();
  showCell();
}

function showChart(share) {
  history.draw($('chart'), weave.theme);
  const opened = history.points[0];
  const minutes = Math.round((Date.now() - history.start) / 60_000);
  const ago = minutes < 1 ? `${Math.round((Date.now() - history.start) / 1000)} s ago` : minutes < 120 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
  $('since').textContent = `opened ${ago}`;
  const per = (value) => `${(value * 100).toFixed(1)} %`;
  $('chart').setAttribute('aria-label', opened ? `${per(share)} in use now; ${per(opened.share)} when this page was opened, ${ago}` : 'Nothing is known yet');
}

function showRemark() {
  const space = book.space;
  const words = [];
  if (space) {
    words.push(space.each > 1 ? `A mark is ${number.format(space.each)} subnets of /${space.subnetLength}.` : `A mark is a /${space.subnetLength}; rows begin with the address beside them.`);
    if (space.family === 6) words.push('The network has no IPv4: this is its IPv6 range.');
    else if (network?.ipv6Range) words.push(`IPv4 is drawn; the IPv6 subnets of ${network.config?.IPv6Network ?? 'the network'} are told with each lease.`);
    if (book.outside) words.push(`${plural(book.outside, 'lease lies', 'leases lie')} outside of ${space.name}; the search finds ${book.outside === 1 ? 'it' : 'them'}.`);
    if (network?.problem) words.push(network.problem);
  }
  const text = words.join(' ');
  if ($('remark').textContent !== text) $('remark').textContent = text;
}
