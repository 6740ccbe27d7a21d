// SPDX-License-Identifier: Apache-2.0
/** The map's two canvases: the cloth, drawn only where it has changed, and the marks over it. */
class Weave {
  constructor(ground, marks, book) {
    Object.assign(this, { ground, marks, book });
    this.context = ground.getContext('2d', { alpha: false });
    this.over = marks.getContext('2d');
    Object.assign(this, { columns: 1, rows: 1, size: 1, count: 0, ratio: 1, theme: 'light' });
    this.found = null;
    this.rings = [];
    this.pointer = -1;
    this.flashes = new Map();
    this.still = matchMedia('(prefers-reduced-motion: reduce)');
    this.pending = false;
    this.wantsMarks = false;
    this.settle([]);
  }

  settle(queue) {
    this.queue = queue;
    this.head = 0;
    this.isQueued = new Uint8Array(this.count);
  }

  /** Fits the grid into a width and, if cells do not become too small, a height, in CSS pixels. */
  fit(count, width, height, theme) {
    const ratio = devicePixelRatio || 1;
    const largest = Math.round(46 * ratio);
    const smallest = Math.ceil(2.6 * ratio);
    const size = (columns, isWhole) => Math.min(largest, Math.floor(width * ratio / columns),
      isWhole ? Math.floor(height * ratio / Math.ceil(count / columns)) : largest);
    const choices = [];
    for (let columns = 4; columns <= Math.min(count, 512); columns *= 2) choices.push(columns);
    let best = choices.reduce((a, b) => size(b, true) >= size(a, true) ? b : a, choices[0]);
    let side = size(best, true);
    if (side < smallest) {
      best = choices.filter((columns) => size(columns) >= smallest).pop() ?? 4;
      side = Math.max(1, size(best));
    }
    Object.assign(this, { count, columns: best, rows: Math.ceil(count / best), size: side, ratio, theme });
    this.painter = new Painter(side, theme);
    for (const canvas of [this.ground, this.marks]) {
      canvas.width = best * side;
      canvas.height = this.rows * side;
      canvas.style.width = `${best * side / ratio}px`;
      canvas.style.height = `${this.rows * side / ratio}px`;
    }
    this.context.fillStyle = Palettes[theme].cloth;
    this.context.fillRect(0, 0, this.ground.width, this.ground.height);
    this.flashes.clear();
    this.redraw();
  }

  /** A cell's side in CSS pixels. */
  get side() { return this.size / this.ratio; }

  /** Draws every cell anew, over as many frames as that takes. */
  redraw() {
    const queue = new Array(this.count);
    for (let cell = 0; cell < this.count; cell++) queue[cell] = cell;
    this.settle(queue);
    this.isQueued.fill(1);
    this.mark();
  }

  /** Draws one cell in the next frame. */
  touch(cell) {
    if (cell >= this.count || this.isQueued[cell]) return;
    this.isQueued[cell] = 1;
    this.queue.push(cell);
    this.wake();
  }

  /** Lets a change be seen for a moment. */
  flash(cell) {
    if (this.still.matches || this.flashes.size > 800) return;
    this.flashes.set(cell, performance.now());
    this.mark();
  }

  mark() {
    this.wantsMarks = true;
    this.wake();
  }

  wake() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.frame();
    });
  }

  frame() {
    const { queue, context, painter, size, columns, book, found } = this;
    const start = performance.now();
    while (this.head < queue.length) {
      const cell = queue[this.head++];
      this.isQueued[cell] = 0;
      const row = Math.floor(cell / columns);
      const column = cell - row * columns;
      painter.draw(context, column * size, row * size, book.looks[cell], column, row, found && !found.has(cell));
      // A frame has 16 ms, for all that happens in it.
      if ((this.head & 127) === 0 && performance.now() - start > 5) break;
    }
    if (this.head < queue.length) this.wake();
    else if (this.head > 0) {
      this.queue = [];
      this.head = 0;
      this.drawn?.();
    }
    if (this.wantsMarks || this.flashes.size) this.drawMarks();
  }

  drawMarks() {
    this.wantsMarks = false;
    const { over, size, columns, ratio } = this;
    const palette = Palettes[this.theme];
    over.clearRect(0, 0, this.marks.width, this.marks.height);
    const corner = (cell) => [cell % columns * size, Math.floor(cell / columns) * size];
    const now = performance.now();
    for (const [cell, start] of this.flashes) {
      const age = (now - start) / 700;
      if (age >= 1) {
        this.flashes.delete(cell);
        continue;
      }
      const grow = Math.max(0, 5 * ratio - size) * (1 - age) / 2;
      const [x, y] = corner(cell);
      over.fillStyle = mix(palette.ink, null, 0.7 * (1 - age));
      over.fillRect(x - grow, y - grow, size + 2 * grow, size + 2 * grow);
    }
    const ring = (cell, colour, least, line, dash = []) => {
      const [x, y] = corner(cell);
      const side = Math.max(size, least * ratio);
      const shift = (side - size) / 2;
      for (const [stroke, width] of [[palette.paper, line + 2], [colour, line]]) {
        over.strokeStyle = stroke;
        over.lineWidth = width * ratio;
        over.setLineDash(stroke === colour ? dash.map((part) => part * ratio) : []);
        over.strokeRect(x - shift, y - shift, side, side);
      }
      over.setLineDash([]);
    };
    for (const { cell, kind } of this.rings) {
      if (kind === 'own') ring(cell, palette.ink, 11, 2);
      else if (kind === 'ending') ring(cell, palette.alarm, 11, 2, [3, 2]);
      else ring(cell, palette.find, 7, 1.5);
    }
    if (this.pointer >= 0) ring(this.pointer, palette.ink, 7, 1.25);
    if (this.flashes.size) this.mark();
  }

  /** Which cell lies under a point of the page; -1 where none does. */
  under(x, y) {
    const box = this.ground.getBoundingClientRect();
    const column = Math.floor((x - box.left) / this.side);
    const row = Math.floor((y - box.top) / this.side);
    if (column < 0 || column >= this.columns || row < 0 || row >= this.rows) return -1;
    return row * this.columns + column;
  }
}
