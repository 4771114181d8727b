// What concerns all points: the heat table that chooses one, and bars by operator group.

const state = {
  point: 0,
  other: -1,
  metric: 'performance.latency',
  bars: 'relative'
};

// What a cell of the heat table can show: section, column, and whether more is darker because it is worse.
const METRICS = [
  ['performance', 'latency'], ['performance', 'nongemm_share'], ['performance', 'gap_share'],
  ['performance', 'throughput'], ['performance', 'peak_memory'], ['fusion', 'rate'], ['generation', 'token'],
  ['generation', 'first_token'], ['generation', 'token_rate'], ['generation', 'peak_memory']
];

const isMeasured = (point) => Boolean(point.tables.performance && point.tables.groups);

// Columns are what one compares at a glance; everything else, the model first, makes rows.
const ACROSS = ['flow', 'device', 'dtype', 'batch', 'quantize', 'preset'];

// Settings in which points differ, in the order in which they stand, without those that follow from the others: the
// version of a runtime follows from the flow.
function varyingSettings() {
  const all = [...new Set(POINTS.flatMap((point) => point.settings.map(([name]) => name)))];
  const labels = (names) => new Set(POINTS.map((point) => JSON.stringify(names.map((name) => settingOf(point, name)))));
  let names = all.filter((name) => labels([name]).size > 1 && name !== 'weights' && name !== 'inputs');
  for (const name of [...names].reverse()) {
    const rest = names.filter((other) => other !== name);
    const own = name === 'model' || ACROSS.includes(name);
    if (!own && labels(rest).size === labels(names).size) names = rest;
  }
  return names;
}

let VARYING = [];

function said(name, value) {
  if (value === '') return '';
  return ['model', 'flow', 'device', 'dtype', 'attention', 'command'].includes(name) ? value : `${name} ${value}`;
}

const partLabel = (point, names) => names.map((name) => said(name, settingOf(point, name))).filter(Boolean).join(' · ');

function labelOf(point) {
  const names = VARYING.filter(
      (name) => name !== 'model' &&
          POINTS.some(
              (other) => settingOf(other, 'model') === settingOf(point, 'model') &&
                  settingOf(other, name) !== settingOf(point, name)));
  return [settingOf(point, 'model') || (point.settings[0] || ['', 'point'])[1], partLabel(point, names)]
      .filter(Boolean)
      .join(' · ');
}

// The same where there is little room: without the model when all points are of one, and without names of settings that
// their values tell.
function briefLabelOf(point) {
  const names = VARYING.filter((name) => name !== 'model');
  const brief = (name) => {
    const value = settingOf(point, name);
    return name === 'quantize' ? value : said(name.split('.').pop(), value);
  };
  const several = new Set(POINTS.map((other) => settingOf(other, 'model'))).size > 1;
  const label = names.map(brief).filter(Boolean).join(' · ');
  return several || label === '' ? labelOf(point) : label;
}

function metricOf(point, metric) {
  const [section, column] = metric.split('.');
  const row = firstRow(point, section);
  return row && known(row[column]) ? row[column] : null;
}

function heatCell(index, low, high) {
  const point = POINTS[index];
  const value = metricOf(point, state.metric);
  const chosen = index === state.point;
  const label = labelOf(point);
  const attributes = {
    type: 'button',
    class: 'cell',
    'data-point': index,
    'aria-pressed': String(chosen),
    onclick: () => choosePoint(index)
  };
  if (value === null) {
    const status = point.status === 'ok' ? '–' : point.status;
    return h(
        'button', {
          ...attributes,
          class: 'cell failed',
          'aria-label': `${label}: ${status}`,
          'data-tip': `${label}\n${point.reason || status}`
        },
        status);
  }
  const info = columnInfo(...state.metric.split('.'));
  const text = show(value, info.unit);
  // Times differ by orders of magnitude between models: their logarithm is what shades them.
  const scale = info.unit === 'share' ? (v) => v : Math.log;
  const share = high > low ? (scale(value) - scale(low)) / (scale(high) - scale(low)) : 0.3;
  const background = heatColour(Math.max(0, Math.min(1, share)));
  return h(
      'button', {
        ...attributes,
        'aria-label': `${label}: ${info.title} ${text}`,
        'data-tip': `${label}\n${info.title}: ${text}\n${info.doc}${point.reason ? `\n${point.reason}` : ''}`,
        style: {background, color: inkOn(background)}
      },
      text);
}

function drawHeat() {
  at('points').hidden = POINTS.length < 2;
  if (POINTS.length < 2) return;
  const metrics = METRICS.map((metric) => metric.join('.'))
                      .filter((metric) => POINTS.some((point) => metricOf(point, metric) !== null));
  if (metrics.length > 0 && !metrics.includes(state.metric)) [state.metric] = metrics;
  const across = VARYING.filter((name) => ACROSS.includes(name));
  const down = VARYING.filter((name) => !ACROSS.includes(name));
  const columns = [...new Set(POINTS.map((point) => partLabel(point, across)))];
  const rows = new Map();
  POINTS.forEach((point, index) => {
    const row = partLabel(point, down) || settingOf(point, 'model');
    const cells = rows.get(row) || rows.set(row, new Map()).get(row);
    const column = partLabel(point, across);
    cells.set(column, [...(cells.get(column) || []), index]);
  });
  const values = POINTS.map((point) => metricOf(point, state.metric)).filter((v) => v !== null && v > 0);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const head =
      h('tr', {}, h('th', {scope: 'col'}, 'Model'),
        columns.map((column) => h('th', {scope: 'col'}, named(column || 'as given', 40))));
  const body = [...rows].map(
      ([row, cells]) => h(
          'tr', {}, h('th', {scope: 'row'}, named(row, 48)),
          columns.map((column) => h('td', {}, (cells.get(column) || []).map((index) => heatCell(index, low, high))))));
  fill('heat', h('table', {class: 'heat'}, h('thead', {}, head), h('tbody', {}, body)));
  fill('overview', OVERVIEWS.filter((point) => !isStudy(point)).map((point) => tablesOf(point, false)));
  if (at('points-controls').childElementCount === 0) {
    fill(
        'points-controls',
        select(
            'Cells show', metrics.map((metric) => [metric, columnInfo(...metric.split('.')).title]), state.metric,
            (metric) => {
              state.metric = metric;
              drawHeat();
            }));
  }
}

// ---- bars ----------------------------------------------------------------------------------------------------------

function partsOf(point) {
  const latency = (firstRow(point, 'performance') || {}).latency;
  const rows = rowsOf(point, 'groups');
  return {latency, parts: partsInOrder(rows.map((row) => ({...row, title: row.group})))};
}

function barOf(index, longest) {
  const point = POINTS[index];
  const {latency, parts} = partsOf(point);
  const full = state.bars === 'relative' || !(longest > 0) ? 1 : latency / longest;
  const pieces = parts.map((part) => barPart('button', part, full, 'node pass', {
                             type: 'button',
                             tabindex: '-1',
                             'data-group': part.id,
                             onclick: () => {
                               choosePoint(index);
                               if (part.id) openGroup(part.title);
                             }
                           }));
  return h(
      'div', {class: 'bar', 'data-point': index, 'data-chosen': index === state.point ? '' : null},
      h('button', {
        type: 'button',
        class: 'label',
        'aria-pressed': String(index === state.point),
        onclick: () => choosePoint(index)
      },
        named(briefLabelOf(point), 48)),
      stackOf(parts, pieces), h('span', {class: 'value', ...definition('performance', 'latency')}, seconds(latency)));
}

function drawBars() {
  const shown = POINTS.map((point, index) => index).filter((index) => isMeasured(POINTS[index]));
  at('bars').hidden = shown.length === 0;
  if (shown.length === 0) return;
  const longest = Math.max(...shown.map((index) => firstRow(POINTS[index], 'performance').latency || 0));
  // A letter takes some half of its height.
  const letters = Math.max(...shown.map((index) => briefLabelOf(POINTS[index]).length));
  at('bars-body').style.setProperty('--label', `${Math.min(Math.max(letters * 0.5, 8), 21)}rem`);
  fill(
      'bars-body', shown.map((index) => barOf(index, longest)),
      legendOf(shown.flatMap((index) => partsOf(POINTS[index]).parts.map((part) => part.title))));
  if (at('bars-controls').childElementCount === 0) {
    fill('bars-controls', switcher('Bars', [['relative', 'Share'], ['absolute', 'Time']], state.bars, (mode) => {
           state.bars = mode;
           drawBars();
         }));
  }
}

// ---- the chosen point ----------------------------------------------------------------------------------------------

const HEADLINE = ['latency', 'throughput', 'nongemm_share', 'gap_share', 'peak_memory'];

function drawChosen(point) {
  const chips = point.settings.slice(1)
                    .filter(([, value]) => value !== '')
                    .map(([name, value]) => h('li', {}, h('span', {}, name), named(value, 60)));
  const performance = firstRow(point, 'performance') || {};
  const figures = HEADLINE.filter((id) => known(performance[id])).map((id) => {
    const info = columnInfo('performance', id);
    return h(
        'div', {class: 'figure', tabindex: '0', ...definition('performance', id)},
        h('span', {class: 'what'}, info.title.replace(' (median)', '')),
        h('strong', {}, show(performance[id], info.unit)));
  });
  fill(
      'chosen-head',
      h('div', {class: 'who'}, h('h2', {id: 'chosen-title'}, named(settingOf(point, 'model') || labelOf(point), 80)),
        h('ul', {class: 'chips'}, chips)),
      figures.length > 0 ? h('div', {class: 'headline'}, figures) : null);
}

function drawNotes(point) {
  const bad = !['ok'].includes(point.status);
  return [
    bad || point.reason ? h('p', {class: bad ? 'note bad' : 'note'}, bad ? h('strong', {}, `${point.status}: `) : null,
                            named(point.reason, 1000)) :
                          null,
    point.command ? h('p', {class: 'command'}, h('span', {}, 'Again:'), h('code', {}, cut(point.command, 2000))) : null,
  ];
}

// What one would look for first, each with the view that tells more.
function findingsOf(point) {
  const found = [];
  const add = (title, target, ...what) => found.push(
      h('a', {class: 'finding', href: `#${target}`}, h('span', {class: 'what'}, title),
        h('span', {class: 'said'}, what)));
  const group = rowsOf(point, 'groups').find((row) => row.time > 0 && !GROUPS[row.id].gemm);
  if (group) {
    add('Dominant non-GEMM group', 'operators', swatch(group.group), h('b', {}, group.group),
        `, ${show(group.share, 'share')} of the time`);
  }
  const wasted = rowsOf(point, 'operators').filter((row) => row.wasted > 0).sort((a, b) => b.wasted - a.wasted)[0];
  if (wasted) {
    add('Most time above the limit', 'operators', h('b', {}, named(shortName(wasted.operator), 40)),
        `, ${seconds(wasted.wasted)} of its ${seconds(wasted.time)}`);
  }
  const gap = rowsOf(point, 'gaps')[0];
  if (gap) {
    add('Longest gap', 'timeline', h('b', {}, seconds(gap.gap)), ', waits for ',
        h('b', {}, named(known(gap.operator) ? shortName(gap.operator) : 'work of no operator', 40)));
  }
  const fusion = firstRow(point, 'fusion');
  if (fusion && known(fusion.nongemm_before)) {
    const saved = fusion.nongemm_before - fusion.nongemm_time;
    add(saved >= 0 ? 'Fusion saved' : 'Fusion lost', 'fusion', h('b', {}, seconds(Math.abs(saved))),
        ` of non-GEMM time, ${show(fusion.rate, 'share')} of the nodes fused`);
  } else if (fusion) {
    add('Fused', 'fusion', h('b', {}, show(fusion.rate, 'share')), ' of the non-GEMM nodes');
  }
  const supposed = rowsOf(point, 'what_if').filter((row) => row.speedup > 1).sort((a, b) => b.speedup - a.speedup)[0];
  if (supposed)
    add('If it were so', 'figures', h('b', {}, named(supposed.what, 50)),
        `: ${supposed.speedup.toFixed(2)} times as fast`);
  return found;
}

function drawSummary(point) {
  const findings = findingsOf(point);
  fill('summary-body', drawNotes(point), findings.length > 0 ? h('div', {class: 'findings'}, findings) : null);
  at('summary-title').hidden = findings.length === 0;
  return true;
}
