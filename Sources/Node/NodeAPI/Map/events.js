// SPDX-License-Identifier: Apache-2.0
// The event stream of leases. Read with fetch, because EventSource can't send a token.

/** A turn for the browser: what is drawn and typed must not wait for what is read. */
const breathe = () => globalThis.scheduler?.yield ? scheduler.yield() : new Promise((resume) => setTimeout(resume));

/**
 * Text of an event stream (WHATWG HTML, section 9.2) to events. A snapshot's leases are told one by one while they
 * come in: 65,536 of them are one line of 25 MB, which JSON.parse would take as a whole, and the page stand still.
 */
class EventText {
  constructor(events) {
    this.events = events;
    this.restart();
  }

  restart() {
    this.rest = '';
    this.name = '';
    this.data = [];
    this.id = undefined;
    this.inSnapshot = false;
  }

  take(text) {
    text = this.rest + text;
    let at = 0;
    while (at < text.length) {
      if (this.inSnapshot) {
        at = this.items(text, at);
        if (this.inSnapshot) break;
        continue;
      }
      if (this.name === 'snapshot' && text.startsWith('data:', at)) {
        this.inSnapshot = true;
        this.depth = 0;
        this.events.snapshotBegins();
        at += 5;
        continue;
      }
      const end = text.indexOf('\n', at);
      if (end < 0) break;
      this.line(text.slice(at, text[end - 1] === '\r' ? end - 1 : end));
      at = end + 1;
    }
    this.rest = text.slice(at);
  }

  /** Goes through a snapshot's line; returns where to go on. An object within the list within the object is a lease. */
  items(text, at) {
    let start = -1;
    let safe = at;
    for (let i = at; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 34) {
        let end = i + 1;
        while (end < text.length && text.charCodeAt(end) !== 34) end += text.charCodeAt(end) === 92 ? 2 : 1;
        // Cut off within a text: from its beginning again, or from the lease's, when there is more.
        if (end >= text.length) break;
        i = end;
      } else if (code === 123 || code === 91) {
        if (++this.depth === 3) start = i;
      } else if (code === 125 || code === 93) {
        if (--this.depth === 2 && start >= 0) {
          this.events.snapshotLease(JSON.parse(text.slice(start, i + 1)));
          start = -1;
        }
      } else if (code === 10) {
        this.inSnapshot = false;
        return i + 1;
      }
      if (start < 0) safe = i + 1;
    }
    if (start >= 0) this.depth = 2;
    return safe;
  }

  line(line) {
    if (line === '') return this.dispatch();
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.name = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id') this.id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.events.pause(Number(value));
  }

  dispatch() {
    const { name, id } = this;
    const data = this.data.join('\n');
    this.name = '';
    this.data = [];
    this.id = undefined;
    if (name === 'snapshot') this.events.snapshotEnds(id);
    else if (data && ['added', 'updated', 'removed'].includes(name)) this.events.change(name, JSON.parse(data));
    if (id !== undefined) this.events.reached(id);
  }
}

class Refusal extends Error {
  constructor(status, message, pause) {
    super(message);
    this.status = status;
    this.pause = pause;
  }
}

/** What the daemon is asked, with the token that the page was told, if any. */
class Daemon {
  constructor() { this.token = null; }

  async ask(path, { accept = 'application/json', headers = {}, signal } = {}) {
    const all = { Accept: accept, ...headers };
    if (this.token) all.Authorization = `Bearer ${this.token}`;
    const answer = await fetch(path, { headers: all, signal, cache: 'no-store', credentials: 'same-origin' });
    if (answer.ok) return answer;
    let detail = `the daemon answers ${answer.status}`;
    try { detail = (await answer.json()).detail ?? detail; } catch { /* No problem+json: the status has to do. */ }
    throw new Refusal(answer.status, String(detail), Number(answer.headers.get('Retry-After')) * 1000 || undefined);
  }

  async document(path) { return (await this.ask(path, { signal: AbortSignal.timeout(10_000) })).json(); }
}

/** Reads the stream for as long as the page is open, and says how that goes. */
class Stream {
  constructor(daemon, events) {
    Object.assign(this, { daemon, events, last: undefined, base: 2000, failures: 0, wake: null });
    this.text = new EventText({
      snapshotBegins: () => events.snapshotBegins(),
      snapshotLease: (lease) => events.snapshotLease(lease),
      snapshotEnds: (id) => events.snapshotEnds(id),
      change: (name, lease) => events.change(name, lease),
      reached: (id) => { this.last = id; },
      pause: (time) => { this.base = Math.min(Math.max(time, 250), 30_000); },
    });
  }

  /** Ends the pause between two attempts. */
  retry() { this.wake?.(); }

  async run() {
    for (;;) {
      let failure;
      try {
        await this.read();
        failure = new Error('the daemon ended the stream');
      } catch (error) {
        failure = error;
      }
      if (failure.status === 401 || failure.status === 403) {
        this.events.refused(failure);
        await new Promise((wake) => { this.wake = wake; });
        continue;
      }
      const pause = failure.pause ?? Math.min(this.base * 2 ** Math.min(this.failures++, 4), 15_000) * (0.8 + Math.random() * 0.4);
      this.events.lost(failure, pause);
      await new Promise((wake) => {
        this.wake = wake;
        setTimeout(wake, pause);
      });
      this.events.connecting();
    }
  }

  async read() {
    const stop = new AbortController();
    // The daemon gives a sign of life every 15 s; the first answer may be a large one.
    let watchdog;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => stop.abort(new Error('the daemon has been silent for 45 s')), 45_000);
    };
    alive();
    try {
      const headers = this.last === undefined ? {} : { 'Last-Event-ID': this.last };
      const answer = await this.daemon.ask('/v1/leases', { accept: 'text/event-stream', headers, signal: stop.signal });
      this.text.restart();
      this.failures = 0;
      this.events.connected(this.last !== undefined);
      const decoder = new TextDecoder();
      const reader = answer.body.getReader();
      let since = performance.now();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        alive();
        for (let at = 0; at < value.length; at += 32_768) {
          this.text.take(decoder.decode(value.subarray(at, at + 32_768), { stream: true }));
          if (performance.now() - since < 6) continue;
          await breathe();
          since = performance.now();
        }
      }
    } finally {
      clearTimeout(watchdog);
      stop.abort();
    }
  }
}
