// The timeline itself: what is in sight, drawn; wheel, keys and pointer; what is chosen.

class Timeline {
  constructor(host, point) {
    this.host = host;
    this.summary = firstRow(point, 'timeline') || {};
    this.nodes = {};
    for (const row of rowsOf(point, 'nodes')) this.nodes[row.node] = row;
    this.lanes = lanesOf(point, this.nodes);
    this.total = Math.max(this.summary.wall || 0, ...this.lanes.map((lane) => lane.end[lane.end.length - 1] || 0));
    this.from = 0;
    this.to = this.total;
    this.chosen = null;
    this.build();
  }

  build() {
    const height = TOP + this.lanes.length * (LANE + LANE_GAP) + 6;
    this.map = h('canvas', {class: 'minimap', height: 34, 'aria-hidden': 'true', 'data-owntip': ''});
    this.canvas = h('canvas', {
      class: 'lanes',
      tabindex: '0',
      role: 'application',
      'data-owntip': '',
      style: {height: `${height}px`},
      'aria-label': 'Timeline: plus and minus zoom, arrows move, N and P go through ' +
          'what is there, G to the next longest gap, Home shows everything'
    });
    this.height = height;
    this.said = h('div', {class: 'detail', 'aria-live': 'polite'});
    this.host.replaceChildren(this.map, this.canvas, this.said);
    this.listen();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.canvas);
    this.say(null);
  }

  resize() {
    const scale = devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    for (const [canvas, height] of [[this.canvas, this.height], [this.map, 34]]) {
      canvas.width = Math.round(this.width * scale);
      canvas.height = Math.round(height * scale);
      canvas.getContext('2d').setTransform(scale, 0, 0, scale, 0, 0);
    }
    this.drawn = null;
    this.paint();
  }

  x(time) {
    return LABELS + (time - this.from) / (this.to - this.from) * (this.width - LABELS);
  }
  time(x) {
    return this.from + (x - LABELS) / (this.width - LABELS) * (this.to - this.from);
  }

  request() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  show(from, to) {
    const least = Math.max(this.total * 1e-6, 20e-9);
    const span = Math.min(Math.max(to - from, least), this.total);
    this.from = Math.min(Math.max(from, 0), this.total - span);
    this.to = this.from + span;
    this.request();
  }

  zoom(factor, around) {
    const centre = around === undefined ? (this.from + this.to) / 2 : around;
    this.show(centre - (centre - this.from) * factor, centre + (this.to - centre) * factor);
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------

  paint() {
    if (!(this.width > 0)) return;
    const c = this.canvas.getContext('2d');
    this.ink = {
      text: themeColour('text'),
      soft: themeColour('soft'),
      line: themeColour('line'),
      card: themeColour('card'),
      page: themeColour('page'),
      accent: themeColour('accent')
    };
    c.clearRect(0, 0, this.width, this.height);
    this.paintAxis(c);
    c.save();
    c.beginPath();
    c.rect(LABELS, 0, this.width - LABELS, this.height);
    c.clip();
    this.lanes.forEach((lane, place) => this.paintLane(c, lane, this.y(place)));
    this.paintLaunch(c);
    c.restore();
    c.font = '12px system-ui, sans-serif';
    c.fillStyle = this.ink.soft;
    c.textBaseline = 'middle';
    this.lanes.forEach((lane, place) => c.fillText(lane.title, 0, this.y(place) + LANE / 2));
    this.paintMap();
  }

  y(place) {
    return TOP + place * (LANE + LANE_GAP);
  }

  paintAxis(c) {
    const span = this.to - this.from;
    const rough = span / Math.max(2, (this.width - LABELS) / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
    c.font = '11px system-ui, sans-serif';
    c.textBaseline = 'top';
    for (let tick = Math.ceil(this.from / step) * step; tick <= this.to; tick += step) {
      const x = Math.round(this.x(tick)) + 0.5;
      c.strokeStyle = this.ink.line;
      c.beginPath();
      c.moveTo(x, 16);
      c.lineTo(x, this.height);
      c.stroke();
      c.fillStyle = this.ink.soft;
      const [factor, symbol] = TIMES.find(([least]) => this.to >= least) || TIMES[3];
      const digits = Math.max(0, Math.ceil(-Math.log10(step / factor) - 1e-9));
      c.fillText(`${(tick / factor).toFixed(digits)} ${symbol}s`, Math.min(x + 4, this.width - 60), 2);
    }
  }

  paintLane(c, lane, y) {
    c.fillStyle = this.ink.card;
    c.fillRect(LABELS, y, this.width - LABELS, LANE);
    const scale = (this.width - LABELS) / (this.to - this.from);
    let done = -1;  // the last pixel that something narrow was drawn in
    c.font = '11px system-ui, sans-serif';
    c.textBaseline = 'middle';
    for (let i = lane.first(this.from); i < lane.begin.length && lane.begin[i] < this.to; ++i) {
      if (lane.end[i] < this.from) continue;
      const left = LABELS + (lane.begin[i] - this.from) * scale;
      const width = (lane.end[i] - lane.begin[i]) * scale;
      if (width < 1) {
        const pixel = Math.floor(left);
        if (pixel === done) continue;
        done = pixel;
        c.fillStyle = lane.colours[i];
        c.fillRect(pixel, y, 1, LANE);
        continue;
      }
      c.fillStyle = lane.colours[i];
      c.fillRect(left, y, width > 3 ? width - 0.75 : width, LANE);
      if (width > 20) this.paintName(c, lane, i, left, width, y);
    }
    if (!this.chosen || this.chosen.lane !== lane) return;
    const i = this.chosen.entry;
    c.strokeStyle = this.ink.text;
    c.lineWidth = 2;
    c.strokeRect(this.x(lane.begin[i]), y - 1, Math.max(2, (lane.end[i] - lane.begin[i]) * scale), LANE + 2);
    c.lineWidth = 1;
  }

  paintName(c, lane, i, left, width, y) {
    const from = Math.max(left, LABELS);
    const room = Math.min(left + width, this.width) - from - 8;
    const letters = Math.floor(room / 6.2);
    const name = this.nameOf(lane, i);
    // A name of which only some letters have room says nothing.
    if (letters < Math.min(8, name.length)) return;
    const text = cut(name, letters);
    c.fillStyle = inkOn(lane.colours[i]);
    c.save();
    c.beginPath();
    c.rect(from, y, room + 8, LANE);
    c.clip();
    c.fillText(text, from + 4, y + LANE / 2 + 0.5);
    c.restore();
  }

  // From the host's call to the kernel it launched, for what is chosen.
  paintLaunch(c) {
    if (!this.chosen || this.chosen.lane.kind !== 'device') return;
    const {lane, entry} = this.chosen;
    const launch = lane.columns.launch && lane.columns.launch[entry];
    if (!known(launch)) return;
    c.strokeStyle = this.ink.accent;
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(this.x(launch), this.y(0));
    c.lineTo(this.x(launch), this.y(0) + LANE);
    c.lineTo(this.x(lane.begin[entry]), this.y(this.lanes.indexOf(lane)));
    c.stroke();
    c.lineWidth = 1;
  }

  paintMap() {
    const c = this.map.getContext('2d');
    if (!this.drawn) this.drawn = wholeOf(this.lanes, this.total, this.width, this.map, this.ink);
    c.clearRect(0, 0, this.width, 34);
    c.drawImage(this.drawn, 0, 0, this.width, 34);
    const wide = this.width - LABELS;
    const left = LABELS + this.from / this.total * wide;
    const width = Math.max(3, (this.to - this.from) / this.total * wide);
    c.strokeStyle = this.ink.accent;
    c.fillStyle = this.ink.accent;
    c.globalAlpha = 0.14;
    c.fillRect(left, 1, width, 30);
    c.globalAlpha = 1;
    c.lineWidth = 1.5;
    c.strokeRect(left, 1, width, 30);
  }

  // ---- what is chosen ----------------------------------------------------------------------------------------------

  nodeOf(lane, i) {
    const node = lane.columns.node ? lane.columns.node[i] : null;
    return known(node) ? this.nodes[node] : undefined;
  }

  nameOf(lane, i) {
    const node = this.nodeOf(lane, i);
    if (lane.kind === 'device' && lane.columns.kernel && known(lane.columns.kernel[i])) return lane.columns.kernel[i];
    const operator = node ? shortName(node.operator) : 'work of no operator';
    return lane.kind === 'gap' ? `waits for ${operator}` : lane.kind === 'wait' ? 'host waits' : operator;
  }

  choose(lane, entry) {
    this.chosen = lane && entry >= 0 ? {lane, entry} : null;
    this.say(this.chosen);
    this.request();
  }

  say(chosen) {
    if (!chosen) {
      const gaps = this.lanes.find((lane) => lane.kind === 'gap');
      this.said.replaceChildren(
          h('span', {}, gaps ? 'Press G for the longest gap. ' : '',
            'Wheel or + and − zoom, drag or arrows move, click or N and P choose.'));
      return;
    }
    const {lane, entry} = chosen;
    const node = this.nodeOf(lane, entry);
    const what = {call: 'Host call', wait: 'Host waits', gap: lane.title, device: lane.title}[lane.kind];
    this.said.replaceChildren(
        h('b', {}, named(this.nameOf(lane, entry), 200)),
        h('span', {}, `${what}, ${seconds(lane.end[entry] - lane.begin[entry])} from ${seconds(lane.begin[entry])}`),
        node ? h('span', {}, lane.kind === 'gap' ? 'charged to ' : '', swatch(node.group),
                 named(`${node.operator}, node ${node.node}${node.scope ? `, ${node.scope}` : ''}`, 160)) :
                                                                          null);
  }

  // Brings an entry into sight, and close enough to be seen.
  reveal(lane, entry) {
    const length = Math.max(lane.end[entry] - lane.begin[entry], 1e-9);
    const centre = (lane.begin[entry] + lane.end[entry]) / 2;
    let span = this.to - this.from;
    if (length / span < 0.02) span = length / 0.1;
    if (lane.begin[entry] < this.from || lane.end[entry] > this.to || span !== this.to - this.from) {
      this.show(centre - span / 2, centre + span / 2);
    }
    this.choose(lane, entry);
  }

  longestGap() {
    const lane = this.lanes.find((one) => one.kind === 'gap');
    if (!lane) return;
    if (!lane.order) {
      lane.order =
          lane.columns.begin.map((_, i) => i).sort((a, b) => lane.columns.duration[b] - lane.columns.duration[a]);
      lane.next = 0;
    }
    this.reveal(lane, lane.order[lane.next++ % lane.order.length]);
  }

  step(by) {
    const lane = this.chosen ? this.chosen.lane : this.lanes[0];
    const entry = this.chosen ? this.chosen.entry + by : lane.first(this.from);
    if (entry >= 0 && entry < lane.begin.length) this.reveal(lane, entry);
  }

  switchLane(by) {
    const place = this.chosen ? this.lanes.indexOf(this.chosen.lane) + by : 0;
    if (place < 0 || place >= this.lanes.length) return;
    const time = this.chosen ? this.chosen.lane.begin[this.chosen.entry] : (this.from + this.to) / 2;
    const lane = this.lanes[place];
    this.choose(lane, Math.min(lane.begin.length - 1, lane.first(time + lane.longest)));
  }

  hit(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const lane = this.lanes[Math.floor((y - TOP) / (LANE + LANE_GAP))];
    if (!lane || x < LABELS) return null;
    const entry = lane.at(this.time(x), 2 * (this.to - this.from) / (this.width - LABELS));
    return entry < 0 ? null : {lane, entry};
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      const span = this.to - this.from;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = (event.deltaX || event.deltaY) / this.width * span;
        this.show(this.from + by, this.to + by);
      } else {
        this.zoom(1.0018 ** event.deltaY, this.time(event.clientX - canvas.getBoundingClientRect().left));
      }
    }, {passive: false});
    canvas.addEventListener('pointerdown', (event) => {
      this.drag = {x: event.clientX, from: this.from, to: this.to, moved: false};
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!this.drag) {
        const found = this.hit(event);
        if (!this.chosen) this.say(found);
        canvas.style.cursor = found ? 'pointer' : 'grab';
        return;
      }
      const by = (event.clientX - this.drag.x) / (this.width - LABELS) * (this.drag.to - this.drag.from);
      if (Math.abs(event.clientX - this.drag.x) > 3) this.drag.moved = true;
      if (this.drag.moved) this.show(this.drag.from - by, this.drag.to - by);
    });
    canvas.addEventListener('pointerup', (event) => {
      if (this.drag && !this.drag.moved) {
        const found = this.hit(event);
        this.choose(found && found.lane, found ? found.entry : -1);
      }
      this.drag = null;
    });
    canvas.addEventListener('keydown', (event) => this.key(event));
    const toMap = (event) => {
      const span = this.to - this.from;
      const share = (event.clientX - this.map.getBoundingClientRect().left - LABELS) / (this.width - LABELS);
      this.show(share * this.total - span / 2, share * this.total + span / 2);
    };
    this.map.addEventListener('pointerdown', (event) => {
      this.map.setPointerCapture(event.pointerId);
      toMap(event);
    });
    this.map.addEventListener('pointermove', (event) => {
      if (event.buttons === 1) toMap(event);
    });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const span = this.to - this.from;
    const actions = {
      '+': () => this.zoom(0.5),
      '=': () => this.zoom(0.5),
      '-': () => this.zoom(2),
      ArrowLeft: () => this.show(this.from - span / 5, this.to - span / 5),
      ArrowRight: () => this.show(this.from + span / 5, this.to + span / 5),
      ArrowUp: () => this.switchLane(-1),
      ArrowDown: () => this.switchLane(1),
      Home: () => this.show(0, this.total),
      n: () => this.step(1),
      p: () => this.step(-1),
      g: () => this.longestGap(),
      Escape: () => this.choose(null, -1),
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

let timeline = null;

function drawTimeline(point) {
  if (timeline) timeline.observer.disconnect();
  timeline = null;
  const any = ['timeline_calls', 'timeline_device'].some((id) => point.tables[id] && point.tables[id].rows > 0);
  if (!any) return false;
  timeline = new Timeline(at('timeline-body'), point);
  const row = firstRow(point, 'timeline') || {};
  at('timeline-doc').textContent = [
    SECTIONS.timeline ? SECTIONS.timeline.doc : '', row.how ? `Records: ${cut(row.how, 300)}.` : '',
    row.left_out > 0 ? `${row.left_out} later records are left out.` : ''
  ].filter(Boolean).join(' ');
  const button = (label, text, action) =>
      h('button', {type: 'button', class: 'plain', 'aria-label': label, onclick: action}, text);
  fill(
      'timeline-controls', button('Zoom in', '+', () => timeline.zoom(0.5)),
      button('Zoom out', '−', () => timeline.zoom(2)),
      button('Show everything', 'All', () => timeline.show(0, timeline.total)),
      timeline.lanes.some((lane) => lane.kind === 'gap') ?
          button('Go to the next longest gap', 'Longest gap', () => timeline.longestGap()) :
          null);
  return true;
}
