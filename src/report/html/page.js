// Puts the page together: which point is chosen, and every view of it.

const VIEWS = [
  ['summary', 'At a glance', drawSummary], ['phases', 'Phases', drawPhases], ['operators', 'Operators', drawOperators],
  ['modules', 'Modules', drawModules], ['timeline', 'Timeline', drawTimeline], ['roofline', 'Roofline', drawRoofline],
  ['fusion', 'Fusion', drawFusion], ['memory', 'Memory', drawMemory], ['growth', 'Growth', drawGrowth],
  ['compare', 'Side by side', drawCompare], ['figures', 'All figures', drawFigures]
];

const currentPoint = () => POINTS[state.point];

function drawViews() {
  const point = currentPoint();
  drawChosen(point);
  const links = [];
  for (const [id, title, draw] of VIEWS) {
    const any = draw(point);
    at(id).hidden = !any;
    if (any) links.push(h('a', {href: `#${id}`}, title));
  }
  fill('nav', links);
}

function choosePoint(index) {
  if (index === state.point) return;
  state.point = index;
  for (const cell of document.querySelectorAll('[data-point]')) {
    const chosen = Number(cell.dataset.point) === index;
    if (cell.matches('button')) cell.setAttribute('aria-pressed', String(chosen));
    cell.toggleAttribute('data-chosen', chosen);
    for (const label of cell.querySelectorAll('.label')) label.setAttribute('aria-pressed', String(chosen));
  }
  drawViews();
}

function searchOperators(operator) {
  const input = at('operators-controls').querySelector('input');
  input.value = operator;
  operatorTree.search(operator);
  at('operators').scrollIntoView({block: 'start'});
}

function drawAll() {
  drawStudy();
  drawHeat();
  drawBars();
  drawViews();
}

function start() {
  const context = Object.fromEntries(DATA.context);
  at('machine').textContent =
      ['processor', 'cores', 'time']
          .map((key) => (key === 'cores' && context[key] ? `${context[key]} cores` : context[key]))
          .filter(Boolean)
          .join(' · ');
  fill(
      'context',
      DATA.context.filter(([, value]) => value !== '')
          .map(([name, value]) => [h('dt', {}, name), h('dd', {}, named(value, 400))]));
  at('theme').addEventListener('click', () => {
    setTheme(isDark() ? 'light' : 'dark');
    drawAll();
  });
  if (POINTS.length === 0) {
    at('main').replaceChildren(h('p', {class: 'note'}, 'This report has no points.'));
    document.documentElement.dataset.ready = 'yes';
    return;
  }
  const measured = POINTS.findIndex(isMeasured);
  state.point = Math.max(0, measured);
  const has = (beginning) => Object.keys(SECTIONS).some((id) => id === beginning || id.startsWith(`${beginning}_`));
  if (measured < 0 && has('op')) at('headline').textContent = 'Operators alone';
  if (measured < 0 && has('comparison')) at('headline').textContent = 'New against base';
  const models = [...new Set(POINTS.map((point) => settingOf(point, 'model')).filter(Boolean))].join(', ');
  document.title = `${at('headline').textContent}: ${cut(models || 'nongemm', 120)}`;
  VARYING = varyingSettings();
  drawAll();
  document.documentElement.dataset.ready = 'yes';
}

// Everything that is folded is on paper, too.
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('#figures details')) {
    details.dataset.was = details.open ? 'open' : '';
    if (!details.querySelector('summary .note')) details.open = true;
  }
});
addEventListener('afterprint', () => {
  for (const details of document.querySelectorAll('#figures details')) details.open = details.dataset.was === 'open';
});

load().then(start);
