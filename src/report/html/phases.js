// A text generation: where the time of each phase goes, by operator group, and how long every token took.

state.phases = 'relative';

// Parts of a phase's wall time.
function phaseParts(point, phase) {
  const rows = rowsOf(point, 'phase_groups').filter((row) => row.phase === phase.phase);
  return partsInOrder(rows.map((row) => ({...row, id: GROUP_IDS[row.group], title: row.group})));
}

function phaseBar(phase, parts, longest) {
  const full = state.phases === 'relative' || !(longest > 0) ? 1 : phase.latency / longest;
  return h(
      'div', {class: 'bar', 'data-phase': phase.phase}, h('span', {class: 'label'}, named(phase.phase, 44)),
      stackOf(parts, parts.map((part) => barPart('div', part, full, 'phase'))),
      h('span', {class: 'value', ...definition('phases', 'latency')}, seconds(phase.latency)));
}

// Tokens after the first, which is the prompt's pass and of another magnitude, over what is cached before them.
function tokenPlot(point) {
  const rows = rowsOf(point, 'tokens').filter((row) => row.token > 1 && row.time > 0);
  if (rows.length < 2) return null;
  const lines = [['time', 'Time', themeColour('text'), true], ['replayed', 'Replayed', groupColour('gemm'), false]]
                    .map(([column, title, colour, wide]) => ({
                           title,
                           colour,
                           wide,
                           dots: rows.filter((row) => row[column] > 0)
                                     .map((row) => ({token: row.token, cached: row.cached, value: row[column]}))
                         }))
                    .filter((line) => line.dots.length > 1);
  const height = 260;
  const high = Math.max(...lines.flatMap((line) => line.dots.map((dot) => dot.value)));
  const [first, last] = [rows[0].cached, rows[rows.length - 1].cached];
  const x = scaleOf(first, last, PLOT.left + 10, PLOT.width - 110, false);
  const y = scaleOf(0, high, height - PLOT.bottom, PLOT.top, false);
  const svg = frame(height, 'Time of each token over the tokens in the cache before it');
  axes(
      svg, height, {
        ticks: [...new Set([first, Math.round((first + last) / 2), last])],
        place: x,
        text: String,
        title: 'tokens in the cache before it'
      },
      {ticks: niceTicks(high, 5).filter((tick) => tick <= high), place: y, text: (tick) => short(tick, 's')});
  for (const line of lines) {
    svg.append(h('polyline', {
      class: `growth${line.wide ? ' wide' : ''}`,
      stroke: line.colour,
      points: line.dots.map((dot) => `${x(dot.cached)},${y(dot.value)}`).join(' ')
    }));
    for (const dot of line.dots) {
      svg.append(h('circle', {
        class: 'mark',
        cx: x(dot.cached),
        cy: y(dot.value),
        r: 4,
        fill: line.colour,
        tabindex: '0',
        'data-tip': `${line.title} of token ${dot.token}, ${dot.cached} cached\n${seconds(dot.value)}`
      }));
    }
    const end = line.dots[line.dots.length - 1];
    svg.append(h('text', {class: 'roofname', x: x(end.cached) + 12, y: y(end.value) + 4}, line.title));
  }
  return h('div', {class: 'scroll'}, svg);
}

function drawPhases(point) {
  const phases = rowsOf(point, 'phases').map((phase) => ({phase, parts: phaseParts(point, phase)}));
  if (!phases.some(({parts}) => parts.length > 0)) return false;
  const longest = Math.max(...phases.map(({phase}) => phase.latency || 0));
  fill(
      'phases-body', phases.map(({phase, parts}) => phaseBar(phase, parts, longest)),
      legendOf(phases.flatMap(({parts}) => parts.map((part) => part.title))), tokenPlot(point));
  fill('phases-controls', switcher('Bars', [['relative', 'Share'], ['absolute', 'Time']], state.phases, (mode) => {
         state.phases = mode;
         drawPhases(currentPoint());
       }));
  return true;
}
