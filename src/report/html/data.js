'use strict';
// The report's data, decoded when it is asked for, and how values are written. Figures come from the program's field
// table with their titles, units and definitions; nothing here knows one by name.

let DATA, POINTS, OVERVIEWS, TEXTS, SECTIONS;
const GROUPS = {};     // by id
const GROUP_IDS = {};  // by title

// Large reports are packed: base64 of what zlib deflated.
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return JSON.parse(await new Response(stream).text());
}

async function load() {
  const stored = JSON.parse(document.getElementById('data').textContent);
  DATA = typeof stored === 'string' ? await unpacked(stored) : stored;
  ({texts: TEXTS, sections: SECTIONS} = DATA);
  // Tables of all points of a sweep, or of a study, are no point themselves.
  const isOverview = (point) =>
      DATA.points.length > 1 && point.settings.length > 0 && ['points', 'study'].includes(point.settings[0][0]);
  OVERVIEWS = DATA.points.filter(isOverview);
  POINTS = DATA.points.filter((point) => !isOverview(point));
  for (const section of Object.values(SECTIONS)) {
    section.byId = {};
    for (const column of section.columns) section.byId[column.id] = column;
  }
  DATA.groups.forEach((group, place) => {
    GROUPS[group.id] = {...group, place};
    GROUP_IDS[group.title] = group.id;
  });
}

// A table's columns as arrays: seconds as numbers in seconds, texts as strings, null where nothing was measured.
function columnsOf(point, id) {
  const table = point.tables[id];
  if (!table) return null;
  if (table.decoded) return table.decoded;
  const columns = {};
  for (const column of SECTIONS[id].columns) {
    const stored = table.columns[column.id];
    if (stored === undefined) continue;
    const decode = column.unit === 'text' ? (v) => (v === null ? null : TEXTS[v]) :
        column.unit === 's'               ? (v) => (v === null ? null : v * 1e-9) :
                                            (v) => v;
    columns[column.id] = Array.isArray(stored) ? stored.map(decode) : new Array(table.rows).fill(decode(stored.all));
  }
  table.decoded = columns;
  return columns;
}

// The same as a list of rows; columns that nothing was measured for are absent from them.
function rowsOf(point, id) {
  const table = point.tables[id];
  if (!table) return [];
  if (table.list) return table.list;
  const columns = columnsOf(point, id);
  const names = Object.keys(columns);
  table.list = Array.from({length: table.rows}, (_, r) => {
    const row = {};
    for (const name of names) row[name] = columns[name][r];
    return row;
  });
  return table.list;
}

const firstRow = (point, id) => rowsOf(point, id)[0] || null;
const hasColumn = (point, id, column) => Boolean(point.tables[id] && column in point.tables[id].columns);
const columnInfo = (section, column) => (SECTIONS[section] ? SECTIONS[section].byId[column] : undefined);
const known = (value) => value !== null && value !== undefined;

function settingOf(point, key) {
  const pair = point.settings.find(([name]) => name === key);
  return pair ? pair[1] : '';
}

// ---- values as people read them: the same text as on the terminal -------------------------------------------------

const TIMES = [[1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n']];
const DECIMAL = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, '']];

function scaled(value, prefixes, unit) {
  // The bounds are where rounding reaches the next digit: 9.9999 µs are 10.00 µs, and 999.97 ns are 1.000 µs.
  const [factor, symbol] =
      prefixes.find(([least]) => Math.abs(value) >= 0.99995 * least) || prefixes[prefixes.length - 1];
  const number = value / factor;
  const size = Math.abs(number);
  return `${number.toFixed(size >= 99.995 ? 1 : size >= 9.9995 ? 2 : 3)}\u202f${symbol}${unit}`;
}

const FORMATS = {
  text: (v) => v,
  yes: (v) => (v ? 'yes' : ''),
  count: (v) => (Number.isInteger(v) ? String(v) : v.toPrecision(4)),
  s: (v) => (v === 0 ? '0\u202fs' : scaled(v, TIMES, 's')),
  share: (v) => `${(Math.abs(v) < 0.0005 ? 0 : v * 100).toFixed(1)}\u202f%`,
  ratio: (v) => (v < 1000 ? v.toFixed(3) : v.toFixed(0)),
  B: (v) => (v === 0 ? '0\u202fB' : scaled(v, DECIMAL, 'B')),
  FLOP: (v) => (v === 0 ? '0' : scaled(v, DECIMAL, 'FLOP')),
  'FLOP/s': (v) => (v === 0 ? '0' : scaled(v, DECIMAL, 'FLOP/s')),
  'B/s': (v) => (v === 0 ? '0' : scaled(v, DECIMAL, 'B/s')),
  'FLOP/B': (v) => `${v.toFixed(2)}\u202fFLOP/B`,
  '1/s': (v) => `${v.toFixed(2)}\u202f/s`,
  J: (v) => `${v.toFixed(3)}\u202fJ`,
  W: (v) => `${v.toFixed(1)}\u202fW`,
  Hz: (v) => scaled(v, DECIMAL, 'Hz'),
  number: (v) =>
      (v === 0 || (Math.abs(v) >= 1e-3 && Math.abs(v) < 1e6) ? String(Number(v.toPrecision(3))) : v.toExponential(2)),
};

const isNumber = (unit) => unit !== 'text' && unit !== 'yes';
const show = (value, unit) => (known(value) ? FORMATS[unit](value) : '–');
const seconds = (value) => show(value, 's');

// "aten.layer_norm.default" as people say it.
function shortName(operator) {
  const parts = operator.split('.');
  return parts.length > 2 && parts[0] === 'aten' ? parts[1] : operator;
}

// ---- elements: text is always set as text ------------------------------------------------------------------------

const SVG = 'http://www.w3.org/2000/svg';
const SVG_TAGS = new Set(['svg', 'g', 'path', 'line', 'rect', 'circle', 'text', 'polyline', 'defs', 'clipPath']);

function h(tag, properties, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on'))
      element.addEventListener(name.slice(2), value);
    else if (name === 'style')
      for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else
      element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity))
    if (known(child) && child !== false) element.append(child);
  return element;
}

const at = (id) => document.getElementById(id);
const fill = (id, ...children) => at(id).replaceChildren(...children.flat(Infinity).filter((child) => known(child)));

// Long names stand on one line and are cut in the middle, so that both ends can be read.
function cut(text, most) {
  if (text.length <= most) return text;
  const head = Math.ceil(most * 0.55);
  return `${text.slice(0, head)}…${text.slice(text.length - (most - head - 1))}`;
}

// A name of whatever kind: isolated, so that right-to-left letters leave what stands beside it alone.
const named = (text, most = 90) => h('bdi', {class: 'name'}, cut(text, most));

function select(label, options, chosen, onChange) {
  const control =
      h('select', {onchange: (event) => onChange(event.target.value)},
        options.map(([value, text]) => h('option', {value, selected: value === chosen}, cut(text, 100))));
  return h('label', {class: 'control'}, h('span', {}, label), control);
}

function switcher(label, options, chosen, onChange) {
  const buttons = options.map(
      ([value, text]) =>
          h('button', {
            type: 'button',
            'data-value': value,
            'aria-pressed': String(value === chosen),
            onclick: () => {
              for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.value === value));
              onChange(value);
            },
          },
            text));
  return h('div', {class: 'switch', role: 'group', 'aria-label': label}, buttons);
}

// The definition of a column is shown for whatever carries it.
const definition = (section, column) => ({'data-def': `${section}.${column}`});
