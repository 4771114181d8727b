// What a runtime made of the graph: nodes as they were, steps as they run, which of the one are in which of the other.

const FUSION_FIGURES = [
  'rate', 'nongemm_nodes', 'fused_into_gemm', 'fused_among_nongemm', 'folded', 'nongemm_before', 'nongemm_time',
  'nongemm_speedup', 'added_steps', 'added_time'
];
const MOST_STEPS = 60;

function figureCards(point, section, ids) {
  const row = firstRow(point, section);
  return h('div', {class: 'cards'}, ids.filter((id) => known(row[id])).map((id) => {
    const info = columnInfo(section, id);
    return h(
        'div', {class: 'figure', tabindex: '0', ...definition(section, id)}, h('span', {class: 'what'}, info.title),
        h('strong', {}, show(row[id], info.unit)));
  }));
}

// Bars of a group before and after, one above the other.
function beforeAfter(point) {
  const rows = rowsOf(point, 'fusion_groups').filter((row) => row.before > 0 || row.after > 0);
  if (rows.length === 0) return null;
  const most = Math.max(...rows.map((row) => Math.max(row.before || 0, row.after || 0)));
  const line = (value, kind, colour) =>
      h('div', {class: `meterline ${kind}`},
        h('span', {class: 'meter', style: {width: `${(value || 0) / most * 100}%`, background: colour}}),
        h('span', {class: 'over', ...definition('fusion_groups', kind)}, known(value) ? seconds(value) : '–'));
  rows.sort((a, b) => (b.before || b.after) - (a.before || a.after));
  return h(
      'table', {class: 'figures pairs'},
      h('thead', {},
        h('tr', {}, h('th', {scope: 'col'}, 'Group'), h('th', {scope: 'col'}, 'Before and after'),
          h('th', {scope: 'col', class: 'n', ...definition('fusion_groups', 'speedup')}, 'Speed-up'),
          h('th', {scope: 'col', class: 'n', ...definition('fusion_groups', 'fused')}, 'Fused'),
          h('th', {scope: 'col', class: 'n', ...definition('fusion_groups', 'nodes')}, 'Nodes'))),
      h('tbody', {},
        rows.map(
            (row) =>
                h('tr', {}, h('td', {}, swatch(row.group), row.group),
                  h('td', {class: 'wide'},
                    line(row.before, 'before', mix(titleColour(row.group), isDark() ? '#14181f' : '#ffffff', 0.55)),
                    line(row.after, 'after', titleColour(row.group))),
                  h('td', {class: 'n'}, show(row.speedup, 'ratio')), h('td', {class: 'n'}, show(row.fused, 'share')),
                  h('td', {class: 'n'}, show(row.nodes, 'count'))))));
}

function chipOf(node) {
  const colour = titleColour(node.group);
  return h(
      'span', {
        class: 'node',
        style: {background: colour, color: inkOn(colour)},
        'data-tip':
            `${node.operator}\nnode ${node.node}${node.scope ? `, ${node.scope}` : ''}\n${node.group}: ${node.fate}`
      },
      cut(shortName(node.operator), 24));
}

const STEP_FILTERS = {
  fused: ['Fused', (step) => step.pattern !== 'not fused' && step.pattern !== 'added'],
  alone: ['Alone', (step) => step.pattern === 'not fused'],
  added: ['Added', (step) => step.pattern === 'added'],
  all: ['All', () => true],
};

function stepRow(step, nodes, kernels) {
  const own = kernels.get(step.place) || [];
  const shown = nodes.slice(0, 12).map(chipOf);
  if (nodes.length > 12) shown.push(h('span', {class: 'note'}, `and ${nodes.length - 12} more`));
  return h(
      'tr', {'data-step': step.place}, h('td', {class: 'n'}, String(step.place)),
      h('td', {class: 'chips'},
        shown.length > 0 ? shown : h('span', {class: 'note'}, step.covers || 'no node of the graph')),
      h('td', {}, h('span', {class: 'into', 'aria-hidden': 'true'}, '→ '), swatch(step.group), named(step.type, 40),
        h('span', {class: 'note', 'data-tip': step.name}, named(step.name, 40)),
        own.map((kernel) => h('div', {class: 'kernel', 'data-tip': kernel.kernel}, named(kernel.kernel, 80)))),
      h('td', {}, step.pattern), h('td', {class: 'n', ...definition('steps', 'time')}, seconds(step.time)));
}

function drawSteps(point, host, filter, most) {
  const steps = rowsOf(point, 'steps').map((step, place) => ({...step, place}));
  const fates = indexed(rowsOf(point, 'node_fates').filter((row) => known(row.step)), (row) => row.step);
  const kernels = indexed(rowsOf(point, 'step_kernels'), (row) => row.step);
  const chosen = steps.filter(STEP_FILTERS[filter][1]).sort((a, b) => (b.time || 0) - (a.time || 0));
  const body = chosen.slice(0, most).map((step) => stepRow(step, fates.get(step.place) || [], kernels));
  host.replaceChildren(
      h('div', {class: 'scroll'},
        h('table', {class: 'figures steps'},
          h('thead', {},
            h('tr', {}, h('th', {scope: 'col', class: 'n'}, 'Step'), h('th', {scope: 'col'}, 'Nodes of the graph'),
              h('th', {scope: 'col'}, 'Run as'), h('th', {scope: 'col', ...definition('steps', 'pattern')}, 'Pattern'),
              h('th', {scope: 'col', class: 'n', ...definition('steps', 'time')}, 'Time'))),
          h('tbody', {}, body))));
  if (chosen.length > most) {
    host.append(
        h('button', {type: 'button', class: 'link', onclick: () => drawSteps(point, host, filter, chosen.length)},
          `${chosen.length - most} more`));
  }
}

// The graph's nodes in order above, the steps below: what stands under one brace runs as one.
function fusionStrip(point) {
  const fates = rowsOf(point, 'node_fates');
  if (fates.length === 0) return null;
  const place = (row) => (known(row.step) ? row.step : -1);
  const runs = [];
  for (const row of fates) {
    const last = runs[runs.length - 1];
    if (last && last.step >= 0 && last.step === place(row))
      last.nodes.push(row);
    else
      runs.push({step: place(row), nodes: [row]});
  }
  const kind = (run) => (run.nodes.length > 1 ? 'run fused' : run.step < 0 ? 'run gone' : 'run');
  const piece = (node, run) => h('i', {
    style: {background: titleColour(node.group)},
    'data-tip': [node.operator, node.scope, run.step < 0 ? node.fate : `${node.fate}, step ${run.step}`].join('\n'),
  });
  const label = `${fates.length} nodes of the graph in ${runs.length} pieces`;
  return h(
      'div', {class: 'strip', role: 'img', 'aria-label': label},
      runs.map((run) => h('span', {class: kind(run)}, run.nodes.map((node) => piece(node, run)))));
}

function drawFusion(point) {
  if (!firstRow(point, 'fusion')) return false;
  const steps = h('div', {});
  const strip = fusionStrip(point);
  fill(
      'fusion-body', figureCards(point, 'fusion', FUSION_FIGURES), beforeAfter(point),
      strip && h('h3', {}, 'The graph, node by node'),
      strip && h('p', {class: 'doc'}, 'Nodes in one frame run as one step; pale ones were folded or do nothing.'),
      strip, point.tables.steps && h('h3', {}, 'Which nodes run as what'), steps);
  if (point.tables.steps) {
    drawSteps(point, steps, 'fused', MOST_STEPS);
    fill(
        'fusion-controls',
        switcher(
            'Steps', Object.entries(STEP_FILTERS).map(([id, [title]]) => [id, title]), 'fused',
            (filter) => drawSteps(point, steps, filter, MOST_STEPS)));
  }
  return true;
}
