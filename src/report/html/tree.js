// A table whose rows unfold: sorted by any column, searched, folded, walked by keyboard.
//
// A row is {name, title, colour, values: {column: value}, children: () => rows, key}. Children are made when they are
// asked for; a search makes them all.

const MOST_SIBLINGS = 150;

class Tree {
  // columns: [{id, section, bar}]: what stands beside the name, with the section that defines it.
  constructor(host, label, columns, roots, sorted) {
    this.host = host;
    this.label = label;
    this.columns = columns;
    this.roots = roots;
    this.sorted = {column: sorted, down: true};
    this.open = new Set();
    this.all = new Set();  // keys of rows all of whose children are shown
    this.query = '';
    this.most = {};
    for (const column of columns.filter((one) => one.bar)) {
      this.most[column.id] = Math.max(1e-30, ...roots.map((row) => row.values[column.id] || 0));
    }
    this.draw();
  }

  childrenOf(row) {
    if (row.made === undefined) row.made = row.children ? row.children() : [];
    return row.made;
  }

  ordered(rows) {
    const {column, down} = this.sorted;
    const value = (row) => (column === 'name' ? row.name : row.values[column]);
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (!known(x) || !known(y)) return known(x) ? -1 : known(y) ? 1 : 0;
      const order = typeof x === 'string' ? x.localeCompare(y) : x - y;
      return down ? -order : order;
    };
    return [...rows].sort(compare);
  }

  // Whether a row or anything below it has all words of the search.
  matches(row, words) {
    const text = (row.search || row.name).toLowerCase();
    row.hit = words.every((word) => text.includes(word));
    let below = false;
    for (const child of this.childrenOf(row)) below = this.matches(child, words) || below;
    row.shown = row.hit || below;
    row.below = below;
    return row.shown;
  }

  visible() {
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    const lines = [];
    if (words.length > 0)
      for (const row of this.roots) this.matches(row, words);
    const walk = (rows, level, parent) => {
      let siblings = this.ordered(rows);
      if (words.length > 0) siblings = siblings.filter((row) => row.shown || (parent && parent.hit));
      const most = this.all.has(parent ? parent.key : '') ? siblings.length : MOST_SIBLINGS;
      siblings.slice(0, most).forEach((row) => {
        const opened = this.open.has(row.key) || (words.length > 0 && row.below && !row.folded);
        lines.push({row, level, opened});
        if (opened) walk(this.childrenOf(row), level + 1, row);
      });
      if (siblings.length > most) lines.push({more: siblings.length - most, parent, level});
    };
    walk(this.roots, 1, null);
    return lines;
  }

  toggle(row, opened) {
    row.folded = opened;
    if (opened)
      this.open.delete(row.key);
    else
      this.open.add(row.key);
    this.draw(row.key);
  }

  sortBy(column) {
    const down = this.sorted.column === column ? !this.sorted.down : column !== 'name';
    this.sorted = {column, down};
    this.draw();
    this.host.querySelector(`th[data-column="${column}"] button`).focus();
  }

  search(query) {
    this.query = query;
    for (const row of this.roots) row.folded = false;
    this.draw();
  }

  foldAll() {
    this.open.clear();
    this.draw();
  }

  unfoldAll(levels) {
    const walk = (rows, level) => {
      for (const row of rows) {
        this.open.add(row.key);
        if (level < levels) walk(this.childrenOf(row), level + 1);
      }
    };
    walk(this.roots, 1);
    this.draw();
  }

  head() {
    const cell = (id, title, attributes) => {
      const order = this.sorted.column !== id ? 'none' : this.sorted.down ? 'descending' : 'ascending';
      return h(
          'th', {scope: 'col', 'data-column': id, 'aria-sort': order, ...attributes},
          h('button', {type: 'button', onclick: () => this.sortBy(id)}, title,
            h('span', {class: 'arrow', 'aria-hidden': 'true'},
              order === 'none'     ? '' :
                  this.sorted.down ? ' ↓' :
                                     ' ↑')));
    };
    return h('thead', {}, h('tr', {}, cell('name', this.label, {}), this.columns.map((column) => {
               const info = columnInfo(column.section, column.id);
               return cell(
                   column.id, column.title || info.title, {class: 'n', ...definition(column.section, column.id)});
             })));
  }

  valueCell(column, row) {
    const value = row.values[column.id];
    const info = columnInfo(column.section, column.id);
    if (!known(value)) return h('td', {class: 'n none'}, value === null ? '–' : '');
    const text = show(value, info.unit);
    if (!column.bar) return h('td', {class: 'n'}, text);
    const share = Math.min(100, value / this.most[column.id] * 100);
    return h(
        'td', {class: 'n bar'}, h('span', {
          class: 'meter',
          style: {width: `${share}%`, ...(row.colour ? {background: row.colour} : {})},
          'aria-hidden': 'true'
        }),
        h('span', {class: 'over'}, text));
  }

  line({row, level, opened, more, parent}) {
    if (more) {
      return h(
          'tr', {class: 'more'},
          h('td', {colspan: this.columns.length + 1, style: {'--level': level}},
            h('button', {
              type: 'button',
              class: 'link',
              onclick: () => {
                this.all.add(parent ? parent.key : '');
                this.draw();
              }
            },
              `${more} more`)));
    }
    const unfolds = Boolean(row.children);
    const name = h(
        'td', {class: 'tree', style: {'--level': level}, 'data-tip': row.tip || null},
        unfolds ? h('button', {
          type: 'button',
          class: 'fold',
          'aria-expanded': String(opened),
          'aria-label': `${opened ? 'Fold' : 'Unfold'} ${cut(row.name, 120)}`,
          'data-key': row.key,
          onclick: () => this.toggle(row, opened)
        },
                    opened ? '▾' : '▸') :
                  h('span', {class: 'fold'}),
        row.colour && level < 2 ? h('span', {class: 'swatch', style: {background: row.colour}, 'aria-hidden': 'true'}) :
                                  null,
        named(row.name, level > 3 ? 100 : 72), row.note ? h('span', {class: 'note'}, named(row.note, 60)) : null);
    return h(
        'tr', {'data-level': level, 'data-name': cut(row.name, 300), class: row.hit && this.query ? 'hit' : null}, name,
        this.columns.map((column) => this.valueCell(column, row)));
  }

  draw(focused) {
    const lines = this.visible();
    const body = h('tbody', {}, lines.map((line) => this.line(line)));
    if (lines.length === 0)
      body.append(h('tr', {}, h('td', {colspan: this.columns.length + 1}, 'Nothing has these words.')));
    this.host.replaceChildren(h('div', {class: 'scroll'}, h('table', {class: 'figures tree'}, this.head(), body)));
    body.addEventListener('keydown', (event) => this.walk(event));
    if (focused === undefined) return;
    const button = [...body.querySelectorAll('button.fold')].find((one) => one.dataset.key === focused);
    if (button) button.focus();
  }

  // Arrows walk, right unfolds, left folds.
  walk(event) {
    const buttons = [...this.host.querySelectorAll('tbody button')];
    const place = buttons.indexOf(document.activeElement);
    if (place < 0) return;
    const opened = document.activeElement.getAttribute('aria-expanded');
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step) {
      const next = buttons[place + step];
      if (next) next.focus();
    } else if ((event.key === 'ArrowRight' && opened === 'false') || (event.key === 'ArrowLeft' && opened === 'true')) {
      document.activeElement.click();
    } else {
      return;
    }
    event.preventDefault();
  }
}

// Search and fold buttons of a tree.
function treeControls(tree, levels) {
  const input = h('input', {
    type: 'search',
    placeholder: 'Search',
    'aria-label': `Search in ${tree.label}`,
    oninput: (event) => tree.search(event.target.value)
  });
  return [
    input, h('button', {type: 'button', class: 'plain', onclick: () => tree.unfoldAll(levels)}, 'Unfold'),
    h('button', {type: 'button', class: 'plain', onclick: () => tree.foldAll()}, 'Fold')
  ];
}
