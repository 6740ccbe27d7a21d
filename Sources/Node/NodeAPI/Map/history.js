// SPDX-License-Identifier: Apache-2.0
/** How much of the network was in use since the page was opened: at most 600 points, thinned by half when they are full. */
class History {
  constructor() {
    this.points = [];
    this.step = 1000;
    this.start = Date.now();
  }

  add(share) {
    const now = Date.now();
    const last = this.points[this.points.length - 1];
    if (last && now - last.time < this.step) last.share = share;
    else this.points.push({ time: now, share });
    if (this.points.length > 600) {
      this.points = this.points.filter((_, place) => place % 2 === 0 || place === this.points.length - 1);
      this.step *= 2;
    }
  }

  draw(canvas, theme) {
    const ratio = devicePixelRatio || 1;
    const palette = Palettes[theme];
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const most = Math.max(...this.points.map((point) => point.share), 0);
    const top = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].find((limit) => limit >= most * 1.1) ?? 1;
    const foot = height - 1;
    const y = (share) => foot - share / top * (height - 16);
    context.fillStyle = palette.grid;
    context.fillRect(0, foot, width, 1);
    context.fillRect(0, y(top), width, 1);
    context.fillStyle = palette.faint;
    context.font = '11px ui-monospace, monospace';
    context.fillText(`${Math.round(top * 100)} %`, 0, 10);
    const now = Date.now();
    const span = Math.max(now - this.start, 1000);
    const x = (time) => width - (now - time) / span * width;
    if (!this.points.length) return;
    const line = new Path2D();
    let before = null;
    for (const { time, share } of this.points) {
      if (before === null) line.moveTo(x(time), y(share));
      else {
        line.lineTo(x(time), y(before));
        line.lineTo(x(time), y(share));
      }
      before = share;
    }
    line.lineTo(width, y(before));
    const area = new Path2D(line);
    area.lineTo(width, foot);
    area.lineTo(x(this.points[0].time), foot);
    context.fillStyle = palette.area;
    context.fill(area);
    context.strokeStyle = palette.line;
    context.lineWidth = 2;
    context.stroke(line);
  }
}
