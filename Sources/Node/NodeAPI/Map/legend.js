// SPDX-License-Identifier: Apache-2.0
// The legend, drawn by what draws the cloth.

function showLegend() {
  const list = $('legend');
  const rows = [
    ['own', 'This node', [Look.own]], ['leases', 'Lease, in its node’s dye', [Look.dyes, Look.dyes + 1, Look.dyes + 2]],
    ['foreign', 'Lease of flannel', [Look.foreign]], ['reserved', 'Reservation', [Look.reserved]],
    ['free', 'Free', [Look.free]], [null, 'Not given out', [Look.outside]], [null, 'Ends within a minute', 'ending'],
  ];
  list.replaceChildren();
  const ratio = devicePixelRatio || 1;
  const side = Math.round(20 * ratio);
  const painter = new Painter(side, weave.theme, true);
  for (const [name, label, looks] of rows) {
    const item = document.createElement('li');
    const canvas = document.createElement('canvas');
    const count = Array.isArray(looks) ? looks.length : 1;
    canvas.width = side * count;
    canvas.height = side;
    canvas.style.width = `${20 * count}px`;
    canvas.setAttribute('aria-hidden', 'true');
    const context = canvas.getContext('2d');
    if (Array.isArray(looks)) looks.forEach((look, place) => painter.draw(context, place * side, 0, look, place + 3, 0, false));
    else {
      painter.draw(context, 0, 0, Look.dyes, 3, 0, false);
      context.strokeStyle = Palettes[weave.theme].alarm;
      context.lineWidth = 3 * ratio;
      context.setLineDash([4 * ratio, 2 * ratio]);
      context.strokeRect(1.5 * ratio, 1.5 * ratio, side - 3 * ratio, side - 3 * ratio);
    }
    const text = document.createElement('span');
    text.textContent = label;
    const output = document.createElement('span');
    output.className = 'mono';
    if (name) output.id = `count-${name}`;
    item.append(canvas, text, output);
    list.append(item);
  }
}
