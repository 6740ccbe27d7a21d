// SPDX-License-Identifier: Apache-2.0
// Search.

let findTimer = 0;
/** The query that was looked for last; another one is typed before it is looked for. */
let sought = '';
function find() {
  clearTimeout(findTimer);
  const query = $('query').value;
  sought = query;
  finds = book.space ? book.find(query) : [];
  findAt = -1;
  const isAsked = query.trim() !== '';
  weave.found = isAsked && finds.length ? cellsOf(finds) : null;
  $('found').textContent = !isAsked ? '' : finds.length ? `${plural(finds.length, 'lease')}; Enter goes to the next` : nobody(query);
  weave.redraw();
  update();
}

function cellsOf(leases) {
  const cells = new Set();
  for (const { cells: held } of leases) if (held) for (let cell = held[0]; cell <= held[1]; cell++) cells.add(cell);
  return cells;
}

/** Leases come and go while they are looked for. */
let isStale = false;
setInterval(() => {
  if (!isStale || !weave.found || document.hidden) return;
  isStale = false;
  const current = finds[findAt]?.key;
  finds = book.find(sought);
  findAt = finds.findIndex((lease) => lease.key === current);
  const before = weave.found;
  weave.found = cellsOf(finds);
  for (const cell of before) if (!weave.found.has(cell)) weave.touch(cell);
  for (const cell of weave.found) if (!before.has(cell)) weave.touch(cell);
  if (findAt < 0) $('found').textContent = `${plural(finds.length, 'lease')}; Enter goes to the next`;
}, 1000);

/** Nobody holds it: where it would be is worth showing all the same. */
function nobody(query) {
  const block = parsePrefix(query.trim());
  const cells = block && book.space && block.family === book.space.family ? book.space.cells(block) : null;
  if (!cells) return 'No lease fits';
  choose(cells[0], { speak: false });
  return 'In the network, and nobody holds it';
}

function nextFind(step) {
  if (!finds.length) return;
  findAt = (findAt + step + finds.length) % finds.length;
  $('found').textContent = `${number.format(findAt + 1)} of ${plural(finds.length, 'lease')}`;
  jump(finds[findAt]);
}

$('query').addEventListener('input', () => {
  clearTimeout(findTimer);
  findTimer = setTimeout(find, 120);
});
$('search').addEventListener('submit', (event) => {
  event.preventDefault();
  if (findAt < 0 || $('query').value !== sought) find();
  nextFind(1);
});
