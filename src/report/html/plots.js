// Plots in SVG: the roofline, memory over nodes, growth over batch or length.

const PLOT = {
  width: 1080,
  left: 92,
  right: 20,
  top: 16,
  bottom: 44
};

// A logarithmic or linear scale from values to places.
function scaleOf(low, high, from, to, logarithmic) {
  const f = logarithmic ? Math.log10 : (v) => v;
  const [a, b] = [f(low), f(high)];
  return (value) => from + (b > a ? (f(value) - a) / (b - a) : 0.5) * (to - from);
}

function decades(low, high) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); ++power) ticks.push(10 ** power);
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

function niceTicks(high, count) {
  const rough = high / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const ticks = [];
  for (let tick = 0; tick <= high * 1.0001; tick += step) ticks.push(tick);
  return ticks;
}

const short = (value, unit) => show(value, unit).replace(/(\.\d*?)0+(?=\u202f)/, '$1').replace(/\.(?=\u202f)/, '');

function frame(height, label) {
  return h('svg', {class: 'plot', viewBox: `0 0 ${PLOT.width} ${height}`, role: 'img', 'aria-label': label});
}

function axes(svg, height, x, y) {
  const bottom = height - PLOT.bottom;
  for (const tick of x.ticks) {
    const place = x.place(tick);
    svg.append(
        h('line', {class: 'grid', x1: place, x2: place, y1: PLOT.top, y2: bottom}),
        h('text', {class: 'tick', x: place, y: bottom + 16, 'text-anchor': 'middle'}, x.text(tick)));
  }
  for (const tick of y.ticks) {
    const place = y.place(tick);
    svg.append(
        h('line', {class: 'grid', x1: PLOT.left, x2: PLOT.width - PLOT.right, y1: place, y2: place}),
        h('text', {class: 'tick', x: PLOT.left - 8, y: place + 4, 'text-anchor': 'end'}, y.text(tick)));
  }
  svg.append(
      h('text', {class: 'axis', x: (PLOT.left + PLOT.width) / 2, y: height - 6, 'text-anchor': 'middle'}, x.title));
}

// ---- roofline ------------------------------------------------------------------------------------------------------

// Names at the right end of lines. Those of lines that are close stand above the highest of them, in the lines' order:
// no line goes through a name.
function nameLines(svg, names) {
  const lineHeight = 14;
  const above = 6;
  const lines = [...names].sort((a, b) => b[0] - a[0]);
  for (let first = 0; first < lines.length;) {
    let behind = first + 1;
    const room = () => above + lineHeight * (behind - first);
    while (behind < lines.length && lines[behind - 1][0] - lines[behind][0] < room()) ++behind;
    const highest = lines[behind - 1][0];
    for (let i = first; i < behind; ++i) {
      const place = highest - above - lineHeight * (i - first);
      svg.append(
          h('text', {class: 'roofname', x: PLOT.width - PLOT.right - 4, y: place, 'text-anchor': 'end'}, lines[i][1]));
    }
    first = behind;
  }
}

// By column of the limits section; a roof that was not measured is not drawn.
const ROOFS =
    [['fp32_rate', 'fp32'], ['tf32_rate', 'TF32'], ['fp16_rate', 'fp16'], ['bf16_rate', 'bf16'], ['int8_rate', 'int8']];

function rooflineRows(point) {
  const rows = rowsOf(point, 'calls').filter((row) => row.time > 0 && row.byte_rate > 0);
  // Copies do no arithmetic: they stand at the left edge, where the bandwidth alone is a limit.
  return rows.map((row) => ({...row, intensity: row.flop_rate > 0 ? row.flop_rate / row.byte_rate : 0}));
}

function drawRoofline(point) {
  const rows = rooflineRows(point);
  const limits = firstRow(point, 'limits');
  if (rows.length === 0 || !limits || !known(limits.copy_bandwidth)) return false;
  const height = 470;
  const bottom = height - PLOT.bottom;
  const positive = rows.filter((row) => row.intensity > 0);
  const roofs = ROOFS.filter(([id]) => known(limits[id]));
  const low = 10 ** Math.floor(Math.log10(Math.min(0.1, ...positive.map((row) => row.intensity))));
  const edge = Math.max(low, 1e-3);  // where copies stand
  const high = 10 ** Math.ceil(Math.log10(Math.max(100, ...positive.map((row) => row.intensity))));
  const rate = (row) => row.byte_rate * Math.max(row.intensity, edge);
  const rates = rows.map(rate);
  const top = 10 ** Math.ceil(Math.log10(Math.max(...roofs.map(([id]) => limits[id]), ...rates)));
  const least = 10 ** Math.floor(Math.log10(Math.max(Math.min(...rates), top * 1e-8)));
  const x = scaleOf(edge, high, PLOT.left + 26, PLOT.width - PLOT.right, true);
  const y = scaleOf(least, top, bottom, PLOT.top, true);
  const svg = frame(height, `Roofline of ${rows.length} operators`);
  axes(
      svg, height, {
        ticks: decades(edge, high),
        place: x,
        text: (tick) => String(Number(tick.toPrecision(2))),
        title: 'Intensity, FLOP per byte of least traffic'
      },
      {ticks: decades(least, top), place: y, text: (tick) => short(tick, 'FLOP/s')});
  const tallest = Math.max(...roofs.map(([id]) => limits[id]), 0) || top;
  const ridge = tallest / limits.copy_bandwidth;
  svg.append(h('line', {
    class: 'roof',
    x1: x(edge),
    y1: y(Math.max(limits.copy_bandwidth * edge, least)),
    x2: x(Math.min(ridge, high)),
    y2: y(limits.copy_bandwidth * Math.min(ridge, high)),
    'data-tip': `Bandwidth of a large copy, as measured\n${show(limits.copy_bandwidth, 'B/s')}`
  }));
  const quarter = edge * (Math.min(ridge, high) / edge) ** 0.25;  // of the slope: lower roofs begin further up
  svg.append(
      h('text', {class: 'roofname', x: x(quarter) + 10, y: y(limits.copy_bandwidth * quarter) + 16},
        `${show(limits.copy_bandwidth, 'B/s')} copied`));
  for (const [id, name] of roofs) {
    const begin = limits[id] / limits.copy_bandwidth;
    svg.append(h('line', {
      class: 'roof',
      x1: x(Math.max(Math.min(begin, high), edge)),
      y1: y(limits[id]),
      x2: PLOT.width - PLOT.right,
      y2: y(limits[id]),
      ...definition('limits', id)
    }));
  }
  const longest = Math.max(...rows.map((row) => row.time));
  rows.sort((a, b) => b.time - a.time).slice(0, 600).forEach((row) => {
    const radius = 3 + 19 * Math.sqrt(row.time / longest);
    const text = [
      `${shortName(row.operator)} ${row.shapes}`, `${row.group}, ${row.nodes} nodes, ${seconds(row.time)}`,
      `${show(row.flop_rate, 'FLOP/s')}, ${show(row.byte_rate, 'B/s')}${
          row.intensity > 0 ? `, ${show(row.intensity, 'FLOP/B')}` : ', no arithmetic'}`,
      known(row.distance) ? `${show(row.distance, 'ratio')} times the limit` : ''
    ].filter(Boolean).join('\n');
    svg.append(h('circle', {
      cx: x(Math.max(row.intensity, edge)),
      cy: y(Math.max(rate(row), least)),
      r: radius,
      class: 'dot',
      tabindex: radius > 6 ? '0' : null,
      role: 'button',
      'aria-label': text.replace(/\n/g, ', '),
      fill: titleColour(row.group),
      'data-tip': text,
      onclick: () => searchOperators(row.operator),
      onkeydown: (event) => {
        if (event.key === 'Enter') searchOperators(row.operator);
      }
    }));
  });
  nameLines(svg, roofs.map(([id, name]) => [y(limits[id]), `${show(limits[id], 'FLOP/s')} ${name}`]));
  if (rows.some((row) => row.intensity === 0)) {
    svg.append(h('text', {class: 'tick', x: x(edge), y: bottom + 32, 'text-anchor': 'middle'}, 'and no arithmetic'));
  }
  fill('roofline-body', h('div', {class: 'scroll'}, svg), legendOf(rows.map((row) => row.group)));
  return true;
}

// ---- memory over nodes ---------------------------------------------------------------------------------------------

function drawMemory(point) {
  const rows = rowsOf(point, 'nodes').filter((row) => known(row.alive));
  if (rows.length < 2) return false;
  const height = 300;
  const bottom = height - PLOT.bottom;
  const performance = firstRow(point, 'performance') || {};
  const most = rows.reduce((best, row) => (row.alive > best.alive ? row : best));
  const top = Math.max(most.alive, performance.peak_memory || 0) * 1.06;
  const x = scaleOf(0, rows.length - 1, PLOT.left, PLOT.width - PLOT.right, false);
  const y = scaleOf(0, top, bottom, PLOT.top, false);
  const svg = frame(height, `Memory alive over ${rows.length} nodes`);
  axes(
      svg, height, {
        ticks: niceTicks(rows.length - 1, 10),
        place: x,
        text: (tick) => String(Math.round(tick)),
        title: 'Node, in program order'
      },
      {ticks: niceTicks(top, 5).filter((tick) => tick <= top), place: y, text: (tick) => short(tick, 'B')});
  const names = [];
  const line = (id, text, tip) => {
    if (!known(performance[id])) return;
    names.push([y(performance[id]), `${text} ${show(performance[id], 'B')}`]);
    svg.append(h('line', {
      class: 'roof dashed',
      x1: PLOT.left,
      x2: PLOT.width - PLOT.right,
      y1: y(performance[id]),
      y2: y(performance[id]),
      ...tip
    }));
  };
  const outline = rows.map((row, i) => `${x(i).toFixed(1)},${y(row.alive).toFixed(1)}`).join(' L');
  svg.append(h('path', {class: 'area', d: `M${x(0)},${bottom} L${outline} L${x(rows.length - 1)},${bottom} Z`}));
  line('peak_memory', 'measured peak', definition('performance', 'peak_memory'));
  line('weight_memory', 'weights', definition('performance', 'weight_memory'));
  nameLines(svg, names);
  const place = rows.indexOf(most);
  svg.append(h('circle', {class: 'peak', cx: x(place), cy: y(most.alive), r: 5}));
  const detail = h('p', {class: 'detail'});
  const tell = (row, what) => detail.replaceChildren(
      what, h('b', {}, show(row.alive, 'B')), ' after node ', String(row.node), ', ', swatch(row.group),
      named(shortName(row.operator), 60), row.scope ? ', ' : '', named(row.scope || '', 120));
  tell(most, 'Most: ');
  const under = (event) => {
    const box = svg.getBoundingClientRect();
    const share =
        ((event.clientX - box.left) / box.width * PLOT.width - PLOT.left) / (PLOT.width - PLOT.right - PLOT.left);
    tell(rows[Math.max(0, Math.min(rows.length - 1, Math.round(share * (rows.length - 1))))], '');
  };
  svg.addEventListener('mousemove', under);
  svg.addEventListener('mouseleave', () => tell(most, 'Most: '));
  fill(
      'memory-body', h('p', {class: 'doc'}, `${columnInfo('nodes', 'alive').doc}.`), h('div', {class: 'scroll'}, svg),
      detail);
  return true;
}

// ---- growth --------------------------------------------------------------------------------------------------------

const GROWING = ['batch', 'sequence', 'seq-len'];

// Points that differ from the chosen one in the setting alone, ascending.
function seriesOf(point, setting) {
  const same = (other) => VARYING.every(
      (name) => GROWING.includes(name) && (name === setting || settingOf(other, name) === settingOf(point, name)) ||
          (!GROWING.includes(name) && settingOf(other, name) === settingOf(point, name)));
  return POINTS.filter((other) => isMeasured(other) && Number(settingOf(other, setting)) > 0 && same(other))
      .map((other) => ({size: Number(settingOf(other, setting)), point: other}))
      .sort((a, b) => a.size - b.size);
}

function growthLines(series) {
  const share = (id) => (point) => {
    const row = firstRow(point, 'performance');
    return known(row[id]) && known(row.latency) ? row[id] * row.latency : null;
  };
  const lines = [
    {
      title: 'Latency',
      colour: themeColour('text'),
      value: (point) => firstRow(point, 'performance').latency,
      wide: true
    },
    {title: 'GEMM', colour: groupColour('gemm'), value: share('gemm_share')},
    {title: 'Non-GEMM', colour: '#d7263d', value: share('nongemm_share')},
    {title: 'Device waits', colour: groupColour('synchronisation'), value: share('gap_share')}
  ];
  const titles = rowsOf(series[series.length - 1].point, 'groups')
                     .filter((row) => !GROUPS[row.id].gemm && row.share > 0.02)
                     .slice(0, 5);
  for (const {id, group} of titles) {
    lines.push({
      title: group,
      colour: groupColour(id),
      thin: true,
      value: (point) => (rowsOf(point, 'groups').find((row) => row.id === id) || {}).time
    });
  }
  return lines.filter((line) => series.filter(({point}) => line.value(point) > 0).length > 1);
}

function drawGrowth(point) {
  const settings = GROWING.filter((name) => seriesOf(point, name).length > 1);
  if (settings.length === 0) return false;
  if (!settings.includes(state.growing)) [state.growing] = settings;
  const series = seriesOf(point, state.growing);
  const lines = growthLines(series);
  const height = 380;
  const bottom = height - PLOT.bottom;
  const values = lines.flatMap((line) => series.map(({point: one}) => line.value(one))).filter((v) => v > 0);
  const sizes = series.map(({size}) => size);
  const x = scaleOf(sizes[0], sizes[sizes.length - 1], PLOT.left + 10, PLOT.width - 190, true);
  const [low, high] =
      [10 ** Math.floor(Math.log10(Math.min(...values))), 10 ** Math.ceil(Math.log10(Math.max(...values)))];
  const y = scaleOf(low, high, bottom, PLOT.top, true);
  const svg = frame(height, `Growth over ${state.growing}`);
  axes(
      svg, height, {ticks: sizes, place: x, text: String, title: state.growing},
      {ticks: decades(low, high), place: y, text: (tick) => short(tick, 's')});
  const taken = [];
  for (const line of lines) {
    const own = series.filter(({point: one}) => line.value(one) > 0)
                    .map(({size, point: one}) => [x(size), y(line.value(one)), size, line.value(one)]);
    svg.append(h('polyline', {
      class: `growth${
          line.wide     ? ' wide' :
              line.thin ? ' thin' :
                          ''}`,
      stroke: line.colour,
      points: own.map(([a, b]) => `${a},${b}`).join(' ')
    }));
    for (const [a, b, size, value] of own) {
      svg.append(h('circle', {
        class: 'mark',
        cx: a,
        cy: b,
        r: 4,
        fill: line.colour,
        tabindex: '0',
        'data-tip': `${line.title}, ${state.growing} ${size}\n${seconds(value)}`
      }));
    }
    const last = own[own.length - 1];
    let place = last[1] + 4;
    while (taken.some((other) => Math.abs(other - place) < 14)) place += 4;
    taken.push(place);
    svg.append(
        h('line', {class: 'leader', x1: last[0] + 5, y1: last[1], x2: last[0] + 14, y2: place - 4}),
        h('text', {class: 'roofname', x: last[0] + 16, y: place}, line.title));
  }
  fill(
      'growth-body',
      h('p', {class: 'doc'}, 'Both axes are logarithmic: what grows in proportion rises by the same slope.'),
      h('div', {class: 'scroll'}, svg));
  fill(
      'growth-controls',
      settings.length > 1 ? switcher('Over', settings.map((name) => [name, name]), state.growing, (name) => {
        state.growing = name;
        drawGrowth(currentPoint());
      }) : null);
  return true;
}
