// From a group down to a kernel, and the module tree: both are trees of rows that the report has.

let operatorTree = null;

const OPERATOR_COLUMNS = [
  {id: 'time', section: 'groups', bar: true}, {id: 'share', section: 'groups'},
  {id: 'wasted', section: 'groups', bar: true}, {id: 'distance', section: 'groups'}, {id: 'gap', section: 'groups'},
  {id: 'host_time', section: 'groups'}, {id: 'nodes', section: 'groups'}, {id: 'flops', section: 'groups'},
  {id: 'bytes', section: 'groups'}
];

// Columns of which some row has a value; host time says nothing new where the host is the device.
function columnsWithValues(columns, rows) {
  const any = (id) => rows.some((row) => known(row[id]) && row[id] !== 0);
  const same = rows.every((row) => row.host_time === row.time);
  return columns.filter((column) => any(column.id) && !(column.id === 'host_time' && same));
}

const valuesOf = (row, columns) => Object.fromEntries(columns.map(({id}) => [id, row[id]]));

function indexed(rows, keyOf) {
  const index = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    if (!index.has(key)) index.set(key, []);
    index.get(key).push(row);
  }
  return index;
}

const placeOf = (row) => [row.group, row.operator, row.variant].join('\n');
const callOf = (row) => [placeOf(row), row.shapes, row.dtype].join('\n');

function kernelRows(kernels, key, colour) {
  return kernels.map((kernel, i) => ({
                       name: kernel.kernel,
                       key: `${key}/k${i}`,
                       colour,
                       note: `${show(kernel.launches, 'count')} launches`,
                       tip: kernel.kernel,
                       values: {time: kernel.time}
                     }));
}

function operatorRoots(point, columns) {
  const operators = indexed(rowsOf(point, 'operators'), (row) => row.group);
  const calls = indexed(rowsOf(point, 'calls'), placeOf);
  const nodes = indexed(rowsOf(point, 'nodes'), callOf);
  const kernels = indexed(rowsOf(point, 'step_kernels'), (row) => row.step);
  const values = (row) => valuesOf(row, columns);
  const nodeRow = (row, colour) => {
    const key = `n${row.node}`;
    const own = kernels.get(row.node);
    return {
      name: row.scope || row.operator,
      key,
      colour,
      values: {...values(row), nodes: undefined},
      note: `node ${row.node}${row.module ? `, ${row.module}` : ''}`,
      search: `${row.scope} ${row.operator} ${row.module}`,
      tip: `${row.operator}\n${row.scope}\n${row.shapes} → ${row.results}`,
      children: own ? () => kernelRows(own, key, colour) : null
    };
  };
  const callRow = (row, colour) => ({
    name: row.shapes || 'no tensors',
    note: row.dtype,
    key: `c${callOf(row)}`,
    colour,
    values: values(row),
    children: () => (nodes.get(callOf(row)) || []).map((node) => nodeRow(node, colour))
  });
  const operatorRow = (row, colour) => {
    const own = calls.get(placeOf(row));
    return {
      name: row.operator,
      key: `o${placeOf(row)}`,
      colour,
      values: values(row),
      note: row.variant && row.variant !== shortName(row.operator) ? row.variant : null,
      children: own ? () => own.map((call) => callRow(call, colour)) : null
    };
  };
  return rowsOf(point, 'groups').map((row) => {
    const colour = groupColour(row.id);
    return {
      name: row.group,
      key: `g${row.id}`,
      colour,
      values: values(row),
      children: () => (operators.get(row.group) || []).map((operator) => operatorRow(operator, colour))
    };
  });
}

function drawOperators(point) {
  const groups = rowsOf(point, 'groups');
  if (groups.length === 0) return false;
  const columns = columnsWithValues(OPERATOR_COLUMNS, groups);
  const ids = columns.map((column) => column.id);
  const sorted = ['wasted', 'time', 'flops', 'nodes'].find((id) => ids.includes(id));
  at('limit-doc').hidden = !ids.includes('wasted');
  operatorTree = new Tree(at('operators-body'), 'Operators', columns, operatorRoots(point, columns), sorted);
  fill('operators-controls', treeControls(operatorTree, 2));
  return true;
}

function openGroup(title) {
  operatorTree.open.add(`g${GROUP_IDS[title]}`);
  operatorTree.draw(`g${GROUP_IDS[title]}`);
  at('operators').scrollIntoView({block: 'start'});
}

// ---- modules -------------------------------------------------------------------------------------------------------

const MODULE_COLUMNS = [
  {id: 'time', section: 'modules', bar: true}, {id: 'share', section: 'modules'},
  {id: 'wasted', section: 'modules', bar: true}, {id: 'gap', section: 'modules'}, {id: 'nodes', section: 'modules'},
  {id: 'parameters', section: 'modules'}, {id: 'flops', section: 'modules'}, {id: 'bytes', section: 'modules'}
];

function moduleRoots(rows, columns) {
  const roots = [];
  const byPath = new Map();
  for (const row of rows) {
    const dot = row.path.lastIndexOf('.');
    const parent = row.path === '' ? undefined : byPath.get(row.path.slice(0, Math.max(dot, 0)));
    const entry = {
      name: row.path.slice(dot + 1) || 'the whole model',
      note: row.module,
      key: `m${row.path}`,
      values: valuesOf(row, columns),
      search: `${row.path} ${row.module || ''}`,
      parts: [],
      tip: `${row.path}\n${row.module || ''}`,
      children: null
    };
    if (parent) {
      parent.parts.push(entry);
      parent.children = () => parent.parts;
    } else {
      roots.push(entry);
    }
    byPath.set(row.path, entry);
  }
  return roots;
}

function drawModules(point) {
  const rows = rowsOf(point, 'modules');
  if (rows.length < 2) return false;
  const columns = columnsWithValues(MODULE_COLUMNS, rows);
  const sorted = ['time', 'flops', 'nodes'].find((id) => columns.some((column) => column.id === id));
  // One module around all others is open from the start.
  const roots = moduleRoots(rows, columns);
  const tree = new Tree(at('modules-body'), 'Module', columns, roots, sorted);
  if (roots.length === 1) tree.unfoldAll(1);
  fill('modules-controls', treeControls(tree, 3));
  return true;
}
