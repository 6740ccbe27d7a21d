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
  const cells = new Set();
  for (const lease of finds) if (lease.cells) for (let cell = lease.cells[0]; cell <= lease.cells[1]; cell++) cells.add(cell);
  weave.found = isAsked && finds.length ? cells : null;
  $('found').textContent = !isAsked ? '' : finds.length ? `${plural(finds.length, 'lease')}; Enter goes to the next` : nobody(query);
  weave.redraw();
  update();
}

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
