// SPDX-License-Identifier: Apache-2.0
// The cloth: each cell is one crossing of a plain weave, dyed by who holds the subnet.

/** Each dye has 3:1 against the undyed cloth, so that a lease is told from none (WCAG 1.4.11). */
const Palettes = {
  light: {
    cloth: '#ddd5c5', warps: ['#f3eee3', '#e3e1d9', '#efe3d2'], wefts: ['#eee8db', '#dedcd4', '#eadecb'],
    shade: '#2a2418', outside: '#ddd5c5', hatch: '#a89f8c', ink: '#1c1a17', paper: '#fffdf8', alarm: '#b3261e', find: '#0b57d0',
    reserved: '#8a5a00', foreign: '#6b7075', own: '#1c1a17', veil: 'rgba(246,242,233,0.74)',
    dyes: ['#a3393e', '#2c5f4a', '#2d4f83', '#74508a', '#1f7180', '#a4476f', '#5c6b1f'],
    line: '#2c5f4a', area: 'rgba(44,95,74,0.16)', grid: 'rgba(28,26,23,0.16)', faint: '#5d574c',
  },
  dark: {
    cloth: '#0f1214', warps: ['#2a3135', '#343a3d', '#35322c'], wefts: ['#262c30', '#2f3538', '#302d28'],
    shade: '#000000', outside: '#0f1214', hatch: '#4a5257', ink: '#f4efe4', paper: '#14181a', alarm: '#ff8a7a', find: '#8ab4ff',
    reserved: '#dba53a', foreign: '#8d959b', own: '#f4efe4', veil: 'rgba(18,21,23,0.76)',
    dyes: ['#cf6465', '#4f9f7b', '#6890d0', '#a583c4', '#3fa5b3', '#cf7ba2', '#97a648'],
    line: '#6fbf98', area: 'rgba(111,191,152,0.18)', grid: 'rgba(244,239,228,0.18)', faint: '#a9a59b',
  },
};

/** The sett: which thread of the undyed cloth runs in a column or a row. It repeats every 16, and shows where blocks begin. */
const sett = (place) => { const at = place & 15; return at < 2 ? 1 : at === 8 ? 2 : 0; };

class Painter {
  /** @param size of a cell, in the canvas' own pixels. */
  constructor(size, theme, bare) {
    this.size = size;
    this.palette = Palettes[theme];
    this.swatches = new Map();
    /** Cells apart from their neighbours, where there is no cloth around them: in the legend. */
    this.bare = bare;
  }

  draw(context, x, y, look, column, row, dim) {
    const odd = column + row & 1;
    const threads = look === Look.free ? sett(column) * 3 + sett(row) : 0;
    const key = ((look * 9 + threads) * 2 + odd) * 2 + (dim ? 1 : 0);
    let swatch = this.swatches.get(key);
    if (!swatch) this.swatches.set(key, swatch = this.swatch(look, threads, odd, dim));
    if (typeof swatch === 'string') {
      context.fillStyle = swatch;
      context.fillRect(x, y, this.size, this.size);
    } else {
      context.drawImage(swatch, x, y);
    }
  }

  swatch(look, threads, odd, dim) {
    const { size, palette } = this;
    const [warp, weft] = this.colours(look, threads);
    if (size < 5) {
      const mixed = mix(odd ? weft : warp, palette.shade, odd || look === Look.free || look === Look.outside ? 0 : 0.14);
      return dim ? mix(mixed, palette.cloth, 0.76) : mixed;
    }
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = size;
    const context = canvas.getContext('2d');
    context.fillStyle = palette.cloth;
    context.fillRect(0, 0, size, size);
    if (look === Look.outside) this.hatch(context);
    else {
      // Drawn with the warp over the weft; an odd crossing is the same on its side.
      if (odd) context.transform(0, 1, 1, 0, 0, 0);
      const [over, under] = odd ? [weft, warp] : [warp, weft];
      this.band(context, under, true, look);
      if (look !== Look.reserved) this.band(context, over, false, look);
      else this.frame(context, over);
      context.setTransform(1, 0, 0, 1, 0, 0);
      if (look === Look.own) this.diamond(context);
    }
    if (dim) {
      context.fillStyle = palette.veil;
      context.fillRect(0, 0, size, size);
    }
    return canvas;
  }

  colours(look, threads) {
    const { palette } = this;
    if (look === Look.outside) return [palette.outside, palette.outside];
    if (look === Look.free) return [palette.warps[Math.floor(threads / 3)], palette.wefts[threads % 3]];
    const dye = look === Look.reserved ? palette.reserved : look === Look.foreign ? palette.foreign
      : look === Look.own ? palette.own : palette.dyes[look - Look.dyes];
    return [dye, dye];
  }

  /** A few threads side by side: those below run across, in the shadow; those above run along, and dive at both ends. */
  band(context, colour, isUnder, look) {
    const { size, palette } = this;
    const isFree = look === Look.free;
    const inset = Math.max(1, Math.round(size * (look === Look.foreign && !isUnder ? 0.28 : 0.1)));
    const width = size - 2 * inset;
    const count = size < 9 ? 1 : Math.min(6, Math.max(2, Math.round(width / (4 * (devicePixelRatio || 1)))));
    const end = this.bare ? 1 : 0;
    for (let i = 0; i < count; i++) {
      const from = inset + Math.round(width * i / count);
      const to = inset + Math.round(width * (i + 1) / count) - (count > 1 ? 1 : 0);
      context.fillStyle = isUnder ? mix(colour, palette.shade, isFree ? 0.12 : 0.3) : i % 2 ? mix(colour, palette.shade, isFree ? 0.025 : 0.07) : colour;
      if (isUnder) context.fillRect(end, from, size - 2 * end, Math.max(1, to - from));
      else context.fillRect(from, end, Math.max(1, to - from), size - 2 * end);
    }
    if (isUnder || size < 12) return;
    const fall = context.createLinearGradient(0, 0, 0, size);
    const depth = isFree ? 0.13 : 0.34;
    fall.addColorStop(0, mix(palette.shade, null, depth));
    fall.addColorStop(0.22, mix(palette.shade, null, 0));
    fall.addColorStop(0.78, mix(palette.shade, null, 0));
    fall.addColorStop(1, mix(palette.shade, null, depth));
    context.fillStyle = fall;
    context.fillRect(inset, end, width, size - 2 * end);
  }

  /** A reservation: the outer threads only, the cloth's place kept. */
  frame(context, colour) {
    const { size, palette } = this;
    const inset = Math.max(1, Math.round(size * 0.1));
    const thread = Math.max(1, Math.round(size * 0.14));
    context.fillStyle = mix(palette.warps[0], colour, 0.22);
    context.fillRect(inset, inset, size - 2 * inset, size - 2 * inset);
    context.fillStyle = colour;
    context.fillRect(inset, 0, thread, size);
    context.fillRect(size - inset - thread, 0, thread, size);
    context.fillRect(0, inset, size, thread);
    context.fillRect(0, size - inset - thread, size, thread);
    if (size < 12) return;
    context.fillRect(Math.round((size - thread) / 2), inset, thread, size - 2 * inset);
  }

  diamond(context) {
    const { size, palette } = this;
    const reach = size * 0.24;
    context.fillStyle = palette.paper;
    context.beginPath();
    context.moveTo(size / 2, size / 2 - reach);
    context.lineTo(size / 2 + reach, size / 2);
    context.lineTo(size / 2, size / 2 + reach);
    context.lineTo(size / 2 - reach, size / 2);
    context.fill();
  }

  hatch(context) {
    const { size, palette } = this;
    context.strokeStyle = palette.hatch;
    context.lineWidth = Math.max(1, size * 0.06);
    context.beginPath();
    context.moveTo(size * 0.25, size * 0.75);
    context.lineTo(size * 0.75, size * 0.25);
    context.stroke();
  }
}

/** Two hex colours mixed; with none, the first one that far from clear. */
function mix(colour, other, share) {
  const read = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  const a = read(colour);
  if (!other) return `rgba(${a.join(',')},${share})`;
  const b = read(other);
  return '#' + a.map((value, i) => Math.round(value + (b[i] - value) * share).toString(16).padStart(2, '0')).join('');
}
