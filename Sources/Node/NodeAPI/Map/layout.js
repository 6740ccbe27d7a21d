// SPDX-License-Identifier: Apache-2.0
// Layout and theme.

function layout() {
  const space = book.space;
  $('empty').hidden = Boolean(space);
  $('frame').hidden = !space;
  $('details').hidden = $('search').hidden = $('use').hidden = !space;
  weave.theme = theme();
  showLegend();
  if (!space) return;
  const isNarrow = innerWidth < 640;
  // The part that all rows have in common is said once, where there is little room.
  const labels = (cell) => {
    const address = space.address(cell);
    return isNarrow && space.family === 4 && space.whole.length >= 16 ? address.split('.').slice(2).join('.') : address;
  };
  const widest = Math.max(labels(space.count - 1).length, labels(space.count >> 1).length);
  $('rows').style.width = `${Math.ceil(widest * 6.7) + 10}px`;
  const top = $('cloth').getBoundingClientRect().top + scrollY;
  weave.fit(space.count, $('cloth').clientWidth - $('rows').offsetWidth - 2, Math.max(innerHeight - top - 64, 320), weave.theme);
  const rows = $('rows');
  rows.replaceChildren();
  let every = 1;
  while (every * weave.side < 19) every *= 2;
  for (let row = 0; row < weave.rows; row += every) {
    const label = document.createElement('span');
    label.textContent = labels(row * weave.columns);
    label.style.top = `${row * weave.side}px`;
    label.style.height = `${Math.max(weave.side, 12)}px`;
    rows.append(label);
  }
  $('grid').setAttribute('aria-colcount', weave.columns);
  $('grid').setAttribute('aria-rowcount', weave.rows);
  chosen = Math.min(chosen, space.count - 1);
  loupePainter = null;
  showPage();
}

function applyTheme() {
  $('theme').textContent = theme() === 'dark' ? 'Light' : 'Dark';
  $('theme').setAttribute('aria-label', theme() === 'dark' ? 'Use light colours' : 'Use dark colours');
  layout();
}

$('theme').addEventListener('click', () => {
  root.dataset.theme = theme() === 'dark' ? 'light' : 'dark';
  applyTheme();
});
systemTheme.addEventListener('change', applyTheme);
let layoutTimer = 0;
let lastWidth = innerWidth;
addEventListener('resize', () => {
  // A phone's bars come and go with every scroll.
  if (innerWidth === lastWidth && matchMedia('(pointer: coarse)').matches) return;
  lastWidth = innerWidth;
  clearTimeout(layoutTimer);
  layoutTimer = setTimeout(layout, 120);
});
