// SPDX-License-Identifier: Apache-2.0
// The daemon: its network, its node, its stream.

function setState(state, text) {
  $('state').dataset.state = root.dataset.state = state;
  if ($('state-text').textContent !== text) {
    $('state-text').textContent = text;
    if (state !== 'live' || !isLive) say(text);
  }
  isLive = state === 'live';
}

function notice(text, hasRetry = false) {
  $('notice-wait').textContent = '';
  $('notice').hidden = !text;
  $('retry').hidden = !hasRetry;
  if ($('notice-text').textContent !== text) $('notice-text').textContent = text;
}

function empty(title, text, code = '') {
  $('empty-title').textContent = title;
  $('empty-text').textContent = text;
  $('empty-code').textContent = code;
  $('empty-code').hidden = !code;
}

async function readNetwork() {
  network = await daemon.document('/v1/network');
  const space = Space.of(network);
  $('network').textContent = [network.config?.Network ?? null, network.config?.IPv6Network ?? null].filter(Boolean).join(' · ');
  if (!space) {
    empty('There is no network yet', network.problem ?? 'The network config says nothing of a network.', network.config ? '' : 'tartan network init --network 10.244.0.0/16');
  }
  if (space?.key === book.space?.key) return;
  book.lay(space);
  layout();
  chosen = book.own?.cells?.[0] ?? 0;
  update();
}

async function readNode() {
  node = await daemon.document('/v1/node');
  $('node').textContent = `${node.name}, ${node.phase}${node.ready ? '' : ', not ready'}`;
  $('node').title = node.problems.map(({ check, problem }) => `${check}: ${problem}`).join('\n');
  document.title = `Tartan: ${node.name}`;
  if (isLive) showNodeNotice();
  update();
}

function showNodeNotice() {
  // Without a network the page says nothing else than that.
  const problems = book.space ? node?.problems ?? [] : [];
  const said = [...new Set(problems.map(({ problem }) => problem))];
  notice(said.length ? `${node.name} ${node.ready ? 'is ready, but' : 'is not ready:'} ${said.join('; ')}` : '');
}

async function poll(read, pause) {
  for (;;) {
    if (!document.hidden && $('access').hidden) {
      try { await read(); } catch (error) {
        if (error.status === 401 || error.status === 403) askToken(error);
        // Of all else the stream tells.
      }
    }
    // What is not known yet is asked for sooner.
    await new Promise((resume) => setTimeout(resume, network && node ? pause : 2000));
  }
}

function askToken(error) {
  if (!$('access').hidden) return;
  setState('refused', 'Not let in');
  notice('');
  $('access').hidden = false;
  $('access-text').textContent = daemon.token ? `That token is not let in: ${error.message}` : 'It stays in this page’s memory and is gone when you close it.';
  if (!book.space) empty('Not let in', 'The leases are shown once the token is right.');
  if (!$('access').contains(document.activeElement)) $('token').focus();
}

$('access').addEventListener('submit', (event) => {
  event.preventDefault();
  const token = $('token').value.trim();
  $('token').value = '';
  if (!/^[\x21-\x7e]+$/.test(token)) {
    $('access-text').textContent = 'A token has letters, digits and signs only, and no spaces.';
    return;
  }
  daemon.token = token;
  $('access').hidden = true;
  setState('connecting', 'Connecting');
  stream.retry();
  readNetwork().catch(() => {});
  readNode().catch(() => {});
});

/** What a later daemon may call a lease and this page can't place must not end the stream. */
const isLease = (lease) => [lease?.subnet, lease?.ipv6Subnet].every((subnet) => typeof (subnet ?? '') === 'string')
  && Boolean(lease?.subnet || lease?.ipv6Subnet);

let countdown = 0;
const stream = new Stream(daemon, {
  connecting() { setState('connecting', 'Connecting'); },
  connected(isResumed) {
    clearInterval(countdown);
    $('access').hidden = true;
    notice('');
    if (isResumed) setState('live', 'Live');
    else setState('connecting', 'Reading the leases');
    performance.mark('tartan-connected');
    readNetwork().catch(() => {});
    readNode().catch(() => {});
  },
  snapshotBegins() { book.beginSnapshot(); },
  snapshotLease(lease) {
    if (isLease(lease)) book.put(lease);
    update();
  },
  snapshotEnds() {
    book.endSnapshot();
    if (!isFilled && !chosen && book.own?.cells) chosen = book.own.cells[0];
    isFilled = true;
    setState('live', 'Live');
    performance.mark('tartan-snapshot');
    weave.drawn = () => {
      performance.mark('tartan-drawn');
      weave.drawn = null;
    };
    weave.mark();
    weave.touch(0);
    update();
  },
  change(name, lease) {
    if (!isLease(lease)) return;
    changes[name]++;
    isStale = true;
    if (name === 'removed') {
      const known = book.leases.get(LeaseBook.key(lease));
      book.remove(LeaseBook.key(lease));
      if (known?.cells) weave.flash(known.cells[0]);
    } else {
      book.put(lease);
      if (lease.cells) weave.flash(lease.cells[0]);
    }
    update();
  },
  refused: askToken,
  lost(error, pause) {
    const isStarting = error.status === 503;
    const at = new Date().toLocaleTimeString('en-GB');
    const until = Date.now() + pause;
    const said = error.status ? error.message : 'the daemon can’t be reached';
    setState(isStarting ? 'waiting' : 'lost', isStarting ? 'Waiting for the daemon' : 'Connection lost');
    if (!book.space) empty(isStarting ? 'Not ready yet' : 'No connection', `${said}; trying again.`);
    clearInterval(countdown);
    notice(`${isStarting ? 'The daemon is not ready' : 'Connection lost'}: ${said}.${isFilled ? ` What is shown is as of ${at}.` : ''}`, true);
    // Every second is too much for ears.
    const tell = () => { $('notice-wait').textContent = `Trying again in ${Math.max(0, Math.ceil((until - Date.now()) / 1000))} s.`; };
    tell();
    countdown = setInterval(tell, 1000);
  },
});

$('retry').addEventListener('click', () => stream.retry());
addEventListener('online', () => stream.retry());

// Times pass without events.
setInterval(() => { if (!document.hidden) update(); }, 1000);

empty('Connecting', 'Asking the daemon for its network.');
applyTheme();
poll(readNetwork, 15_000);
poll(readNode, 5000);
stream.run();
