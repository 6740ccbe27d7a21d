// SPDX-License-Identifier: Apache-2.0
// Details of the subnet under the pointer, else of the one that has the focus.

const shown = () => hovered >= 0 ? hovered : chosen;

function showDetails() {
  const space = book.space;
  if (!space) return;
  const cell = shown();
  const leases = book.at(cell);
  const lease = book.first(cell);
  $('subject').textContent = lease && space.each === 1 && leases.length === 1
    ? (space.family === 6 ? lease.ipv6Subnet : lease.subnet) : space.prefix(cell);
  const state = lease ? kindOf(lease) : book.looks[cell] === Look.free ? 'Free' : 'Not given out';
  $('subject-kind').textContent = [
    state, space.each > 1 && `${number.format(space.each)} subnets of /${space.subnetLength} in this mark`,
    leases.length > 1 && `${leases.length} leases in it, one shown`,
  ].filter(Boolean).join(' · ');
  const list = $('facts');
  const rows = lease ? facts(lease) : [];
  while (list.children.length > rows.length * 2) list.lastChild.remove();
  rows.forEach(([name, value], place) => {
    if (list.children.length < (place + 1) * 2) list.append(document.createElement('dt'), document.createElement('dd'));
    const [term, text] = [list.children[place * 2], list.children[place * 2 + 1]];
    if (term.textContent !== name) term.textContent = name;
    if (text.textContent !== value) text.textContent = value;
  });
  drawLoupe(cell);
  if (lease) askExpiry(lease);
}

let loupePainter = null;
function drawLoupe(cell) {
  const canvas = $('loupe');
  canvas.hidden = weave.side >= 12;
  if (canvas.hidden) return;
  const side = Math.round(21 * weave.ratio);
  const [wide, high] = innerWidth < 860 ? [17, 3] : [13, 5];
  if (loupePainter?.size !== side || loupePainter.theme !== weave.theme) {
    loupePainter = new Painter(side, weave.theme);
    loupePainter.theme = weave.theme;
    canvas.width = wide * side;
    canvas.height = high * side;
  }
  const context = canvas.getContext('2d');
  const [column, row] = [cell % weave.columns, Math.floor(cell / weave.columns)];
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [c, r] = [column + x - (wide >> 1), row + y - (high >> 1)];
      const isThere = c >= 0 && c < weave.columns && r >= 0 && r < weave.rows;
      const at = r * weave.columns + c;
      loupePainter.draw(context, x * side, y * side, isThere ? book.looks[at] : Look.outside, c & 0xffff, r & 0xffff,
        isThere && weave.found && !weave.found.has(at));
    }
  }
  const line = Math.max(2, Math.round(2 * weave.ratio));
  context.lineWidth = line;
  context.strokeStyle = Palettes[weave.theme].paper;
  context.strokeRect((wide >> 1) * side - line, (high >> 1) * side - line, side + 2 * line, side + 2 * line);
  context.strokeStyle = Palettes[weave.theme].find;
  context.strokeRect((wide >> 1) * side, (high >> 1) * side, side, side);
}

/** What is left of a lease is etcd's to tell, and asked for the one that is looked at, a moment after. */
let askTimer = 0;
let asking = null;
function askExpiry(lease) {
  if (lease.kind === 'reservation' || lease.local || !isLive) return;
  const isFresh = lease.expiry !== undefined && Date.now() - lease.asked < (isEnding(lease) ? 5000 : 60_000);
  if (isFresh || asking === lease.key) return;
  asking = lease.key;
  clearTimeout(askTimer);
  askTimer = setTimeout(async () => {
    try {
      const answer = await daemon.document(`/v1/leases/${encodeURIComponent(lease.key)}`);
      lease.expiry = answer.expiresAt ? Date.parse(answer.expiresAt) : null;
    } catch {
      lease.expiry = null;
    }
    lease.asked = Date.now();
    if (asking === lease.key) asking = null;
    update();
  }, 300);
}
