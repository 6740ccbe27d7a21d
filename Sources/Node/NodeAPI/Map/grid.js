// SPDX-License-Identifier: Apache-2.0
// The grid: one element stands for the cell that has the focus, whichever of 65,536 that is.

function showCell() {
  const space = book.space;
  if (!space) return;
  const [column, row] = [chosen % weave.columns, Math.floor(chosen / weave.columns)];
  const cell = $('cell');
  const side = Math.max(weave.side, 14);
  const shift = (side - weave.side) / 2;
  cell.style.transform = `translate(${column * weave.side - shift}px, ${row * weave.side - shift}px)`;
  cell.style.width = cell.style.height = `${side}px`;
  cell.setAttribute('aria-colindex', column + 1);
  $('row').setAttribute('aria-rowindex', row + 1);
  const words = sentence(chosen);
  if (cell.textContent !== words) cell.textContent = words;
}

function choose(cell, { speak = true, reveal = true } = {}) {
  chosen = Math.min(Math.max(cell, 0), book.space.count - 1);
  hovered = -1;
  weave.pointer = -1;
  $('tag').hidden = true;
  showPage();
  if (reveal) {
    const box = $('cell').getBoundingClientRect();
    const foot = innerHeight - (getComputedStyle($('details')).position === 'sticky' ? $('details').offsetHeight : 0);
    if (box.top < 8 || box.bottom > foot - 8) {
      $('cell').scrollIntoView({ block: 'center', inline: 'nearest', behavior: weave.still.matches ? 'auto' : 'smooth' });
    }
  }
  if (speak) say(`${sentence(chosen)}.`);
}

function jump(lease) {
  if (!lease?.cells) return say('That lease lies outside of the map.');
  choose(lease.cells[0]);
}

function jumpHome() {
  if (book.own) jump(book.own);
  else say('This node has no lease.');
}

$('cell').addEventListener('keydown', (event) => {
  if (!book.space || event.altKey || event.metaKey) return;
  const { columns } = weave;
  const row = Math.floor(chosen / columns) * columns;
  const last = book.space.count - 1;
  const all = event.ctrlKey;
  const to = {
    ArrowLeft: chosen - 1, ArrowRight: chosen + 1,
    ArrowUp: chosen - columns < 0 ? chosen : chosen - columns, ArrowDown: chosen + columns > last ? chosen : chosen + columns,
    Home: all ? 0 : row, End: all ? last : Math.min(row + columns - 1, last),
    PageUp: Math.max(chosen - 8 * columns, chosen % columns), PageDown: Math.min(chosen + 8 * columns, last - (columns - 1 - chosen % columns)),
  }[event.key];
  if (to === undefined || all && !['Home', 'End'].includes(event.key)) return;
  event.preventDefault();
  choose(to);
});

$('cell').addEventListener('focus', () => { if (book.space) say(`${sentence(chosen)}.`); });

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const isTyping = event.target instanceof HTMLInputElement;
  if (event.key === 'Escape' && ($('query').value || event.target === $('query'))) {
    $('query').value = '';
    find();
    $('cell').focus();
  } else if (isTyping) {
    return;
  } else if (event.key === '/') {
    event.preventDefault();
    $('query').focus();
    $('query').select();
  } else if (event.key === 'n') nextFind(1);
  else if (event.key === 'p') nextFind(-1);
  else if (event.key === 'm') {
    jumpHome();
    $('cell').focus({ preventScroll: true });
  }
});

const surface = $('weave');
surface.addEventListener('pointermove', (event) => {
  if (!book.space || event.pointerType === 'touch') return;
  const cell = weave.under(event.clientX, event.clientY);
  if (cell === hovered) return;
  hovered = cell < book.space.count ? cell : -1;
  weave.pointer = hovered;
  weave.mark();
  const tag = $('tag');
  tag.hidden = hovered < 0;
  if (hovered < 0) return showDetails();
  tag.textContent = sentence(hovered);
  const [x, y] = [hovered % weave.columns * weave.side, Math.floor(hovered / weave.columns) * weave.side];
  const isLeft = x > weave.columns * weave.side / 2;
  tag.style.left = isLeft ? 'auto' : `${x + weave.side + 6}px`;
  tag.style.right = isLeft ? `${surface.clientWidth - x + 6}px` : 'auto';
  tag.style.top = `${y + weave.side / 2}px`;
  showDetails();
});
surface.addEventListener('pointerleave', () => {
  if (hovered < 0) return;
  hovered = -1;
  weave.pointer = -1;
  $('tag').hidden = true;
  weave.mark();
  showDetails();
});
surface.addEventListener('click', (event) => {
  const cell = book.space ? weave.under(event.clientX, event.clientY) : -1;
  if (cell < 0 || cell >= book.space.count) return;
  choose(cell, { reveal: false });
  $('cell').focus({ preventScroll: true });
});
