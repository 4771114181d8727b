// Two points side by side, and every table of the chosen point.

function changeCell(a, b, unit, smallerIsBetter) {
  if (!known(a) || !known(b) || a === 0) return h('td', {class: 'n'}, '–');
  if (unit === 'share')
    return h('td', {class: 'n'}, `${b >= a ? '+' : '−'}${Math.abs((b - a) * 100).toFixed(1)}\u202fpoints`);
  const ratio = b / a;
  const better = smallerIsBetter === undefined || Math.abs(ratio - 1) < 0.02 ? '' :
      (ratio < 1) === smallerIsBetter                                        ? ' better' :
                                                                               ' worse';
  return h('td', {class: `n${better}`}, `× ${ratio.toFixed(2)}`);
}

function headOf(first, second) {
  return h(
      'thead', {},
      h('tr', {},
        ['', labelOf(first), labelOf(second), 'Second over first'].map(
            (text, i) =>
                h(i === 0 ? 'td' : 'th', {scope: i === 0 ? null : 'col', class: i === 0 ? null : 'n'},
                  named(text, 44)))));
}

function comparedFigures(first, second) {
  const [a, b] = [firstRow(first, 'performance') || {}, firstRow(second, 'performance') || {}];
  const columns =
      (SECTIONS.performance || {columns: []})
          .columns.filter(
              (column) => isNumber(column.unit) && !column.wide && known(a[column.id]) && known(b[column.id]));
  const lower = (column) =>
      (column.unit === 's' || column.unit === 'B' ? true :
           column.unit === '1/s'                  ? false :
                                                    undefined);
  return h(
      'table', {class: 'figures'}, headOf(first, second),
      h('tbody', {},
        columns.map(
            (column) =>
                h('tr', {}, h('th', {scope: 'row', ...definition('performance', column.id)}, column.title),
                  h('td', {class: 'n', ...definition('performance', column.id)}, show(a[column.id], column.unit)),
                  h('td', {class: 'n', ...definition('performance', column.id)}, show(b[column.id], column.unit)),
                  changeCell(a[column.id], b[column.id], column.unit, lower(column))))));
}

// Rows of both points by a name, the largest difference of time first.
function comparedRows(first, second, section, nameOf, most) {
  const join = new Map();
  [first, second].forEach((point, side) => {
    for (const row of rowsOf(point, section)) {
      const name = nameOf(row);
      const entry = join.get(name) || join.set(name, {name, group: row.group, times: [null, null]}).get(name);
      if (known(row.time)) entry.times[side] = (entry.times[side] || 0) + row.time;
    }
  });
  const rows = [...join.values()].filter((entry) => (entry.times[0] || 0) + (entry.times[1] || 0) > 0);
  const difference = (entry) => Math.abs((entry.times[1] || 0) - (entry.times[0] || 0));
  rows.sort((a, b) => difference(b) - difference(a));
  const longest = Math.max(...rows.flatMap((entry) => entry.times.map((time) => time || 0)), 1e-30);
  const cell = (entry, side) =>
      h('td', {class: 'n bar', ...definition(section, 'time')}, h('span', {
          class: 'meter',
          style: {width: `${(entry.times[side] || 0) / longest * 100}%`, background: titleColour(entry.group)}
        }),
        h('span', {class: 'over'}, seconds(entry.times[side])));
  return h(
      'table', {class: 'figures'}, headOf(first, second),
      h('tbody', {},
        rows.slice(0, most).map(
            (entry) =>
                h('tr', {}, h('th', {scope: 'row'}, swatch(entry.group), named(entry.name, 60)), cell(entry, 0),
                  cell(entry, 1), changeCell(entry.times[0], entry.times[1], 's', true)))));
}

function drawCompare(point) {
  const others = POINTS.map((_, index) => index).filter((index) => index !== state.point && isMeasured(POINTS[index]));
  if (!isMeasured(point) || others.length === 0) return false;
  const model = settingOf(point, 'model');
  if (!others.includes(state.other))
    state.other = others.find((index) => settingOf(POINTS[index], 'model') === model) ?? others[0];
  const second = POINTS[state.other];
  const names = [...new Set([...point.settings, ...second.settings].map(([name]) => name))];
  const differing = names.filter((name) => settingOf(point, name) !== settingOf(second, name));
  fill(
      'compare-controls',
      select('With', others.map((index) => [String(index), labelOf(POINTS[index])]), String(state.other), (index) => {
        state.other = Number(index);
        drawCompare(point);
      }));
  fill(
      'compare-body',
      h('p', {class: 'doc'}, 'What differs: ',
        differing.map(
            (name, i) =>
                [i > 0 ? '; ' : '', `${name} `, named(settingOf(point, name) || 'none', 60), ' and ',
                 named(settingOf(second, name) || 'none', 60)])),
      h('div', {class: 'scroll'}, comparedFigures(point, second)), h('h3', {}, 'Groups, the largest difference first'),
      h('div', {class: 'scroll'}, comparedRows(point, second, 'groups', (row) => row.group, 20)),
      h('h3', {}, 'Operators, the largest difference first'),
      h('div', {class: 'scroll'}, comparedRows(point, second, 'operators', (row) => row.operator, 15)));
  return true;
}

// ---- all figures ---------------------------------------------------------------------------------------------------

const MOST_ROWS = 200;

function singleRow(point, id) {
  const row = firstRow(point, id);
  const columns = SECTIONS[id].columns;
  const absent =
      columns.filter((column) => !known(row[column.id]) && !column.wide).map((column) => column.title.trim());
  return [
    h('dl', {class: 'cards'},
      columns.filter((column) => known(row[column.id]) && show(row[column.id], column.unit) !== '')
          .map(
              (column) =>
                  h('div', {class: 'figure', tabindex: '0', ...definition(id, column.id)},
                    h('dt', {class: 'what'}, column.title.trim()),
                    h('dd', {class: isNumber(column.unit) ? '' : 'long'},
                      named(show(row[column.id], column.unit), 200))))),
    absent.length > 0 ? h('p', {class: 'doc'}, `Not measured here: ${absent.join(', ')}`) : null
  ];
}

// Details come last; a detail that is 0 everywhere says nothing.
function shownColumns(point, id) {
  const columns = SECTIONS[id].columns.filter((column) => {
    const values = columnsOf(point, id)[column.id];
    return values && values.some((value) => known(value) && !(column.wide && value === 0));
  });
  return [...columns.filter((column) => !column.wide), ...columns.filter((column) => column.wide)];
}

function sortableTable(point, id) {
  const columns = shownColumns(point, id);
  const rows = rowsOf(point, id);
  const host = h('div', {});
  const order = {column: null, down: true, most: MOST_ROWS, words: []};
  const text = (row) =>
      columns.filter((column) => !isNumber(column.unit)).map((column) => row[column.id] || '').join(' ').toLowerCase();
  const draw = () => {
    let shown =
        order.words.length > 0 ? rows.filter((row) => order.words.every((word) => text(row).includes(word))) : rows;
    if (order.column) {
      const value = (row) => row[order.column];
      shown = [...shown].sort((a, b) => {
        if (!known(value(a)) || !known(value(b))) return known(value(a)) ? -1 : known(value(b)) ? 1 : 0;
        const less = typeof value(a) === 'string' ? value(a).localeCompare(value(b)) : value(a) - value(b);
        return order.down ? -less : less;
      });
    }
    const head = columns.map((column) => {
      const sorted = order.column !== column.id ? 'none' : order.down ? 'descending' : 'ascending';
      return h(
          'th', {
            scope: 'col',
            'aria-sort': sorted,
            'data-column': column.id,
            class: isNumber(column.unit) ? 'n' : null,
            ...definition(id, column.id)
          },
          h('button', {
            type: 'button',
            onclick: () => {
              order.down = order.column === column.id ? !order.down : isNumber(column.unit);
              order.column = column.id;
              draw();
              host.querySelector(`th[data-column="${column.id}"] button`).focus();
            }
          },
            column.title,
            sorted === 'none' ? '' :
                order.down    ? ' ↓' :
                                ' ↑'));
    });
    const body = shown.slice(0, order.most)
                     .map(
                         (row) =>
                             h('tr', {},
                               columns.map(
                                   (column) =>
                                       h('td', {
                                         class: isNumber(column.unit)                 ? 'n' :
                                             String(row[column.id] || '').length > 48 ? 'long' :
                                                                                        null
                                       },
                                         isNumber(column.unit) || !known(row[column.id]) ?
                                             show(row[column.id], column.unit) :
                                             named(show(row[column.id], column.unit), 240)))));
    host.replaceChildren(
        h('div', {class: 'scroll'},
          h('table', {class: 'figures'}, h('thead', {}, h('tr', {}, head)), h('tbody', {}, body))));
    if (shown.length > order.most) {
      host.append(
          h('button', {
            type: 'button',
            class: 'link',
            onclick: () => {
              order.most *= 10;
              draw();
            }
          },
            `${shown.length - order.most} more`));
    }
  };
  draw();
  const search = rows.length > 20 ? h('input', {
    type: 'search',
    placeholder: 'Search',
    'aria-label': `Search in ${SECTIONS[id].title}`,
    oninput: (event) => {
      order.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      draw();
    }
  }) :
                                    null;
  return [search, host];
}

// Every table of a point, folded.
function tablesOf(point, open) {
  const ids = Object.keys(SECTIONS).filter((id) => point.tables[id] && point.tables[id].rows > 0);
  return ids.map((id) => {
    const section = SECTIONS[id];
    const count = point.tables[id].rows;
    const summary = h(
        'summary', {}, h('b', {}, section.title), section.single ? null : h('span', {class: 'note'}, `${count} rows`));
    const details = h('details', {'data-section': id, open: open && count <= MOST_ROWS}, summary);
    const make = () => {
      if (details.childElementCount > 1) return;
      const tables = section.single ? singleRow(point, id) : sortableTable(point, id);
      details.append(h('p', {class: 'doc'}, section.doc), ...tables.filter(Boolean));
    };
    details.addEventListener('toggle', make);
    if (details.open) make();
    return details;
  });
}

function drawFigures(point) {
  // Of operators alone this is all there is: nothing to unfold first.
  const tables = tablesOf(point, !isMeasured(point));
  fill('figures-body', tables);
  return tables.length > 0;
}
