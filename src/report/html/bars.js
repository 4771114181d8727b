// Stacked bars of times by operator group: of points side by side, and of the phases of a generation.

// Parts of a whole in one order for all bars, GEMM first, so that they compare; what is missing to the whole comes
// last. rows have `id` (of the group), `title`, `share` and `time`.
function partsInOrder(rows) {
  const parts = rows.filter((row) => row.share > 0).sort((a, b) => GROUPS[a.id].place - GROUPS[b.id].place);
  const rest = 1 - parts.reduce((sum, part) => sum + part.share, 0);
  if (rest > 0.002) parts.push({id: '', title: 'waits and the rest', share: rest, time: null});
  return parts;
}

// One part, of a bar that fills `full` (0 to 1) of the room; `whole` is what its share is of.
function barPart(tag, part, full, whole, attributes = {}) {
  const width = part.share * full * 100;
  const colour = part.id ? groupColour(part.id) : null;
  const share = show(part.share, 'share');
  // What there is room for: a letter takes some 0.85 % of the bar.
  const text = [`${part.title} ${share}`, share].find((one) => width > (one.length + 2) * 0.85);
  return h(
      tag, {
        class: `part${part.id ? '' : ' rest'}`,
        'data-tip': `${part.title}\n${share} of the ${whole}${known(part.time) ? `, ${seconds(part.time)}` : ''}`,
        style: {width: `${width}%`, ...(colour ? {background: colour, color: inkOn(colour)} : {})},
        ...attributes
      },
      text ? h('span', {}, text) : '');
}

function stackOf(parts, pieces) {
  return h(
      'div', {
        class: 'stack',
        role: 'img',
        'aria-label': parts.map((part) => `${part.title} ${show(part.share, 'share')}`).join(', ')
      },
      pieces);
}

// Each title once, in the order of groups; what is no group comes last.
function legendOf(titles) {
  const place = (title) => (GROUPS[GROUP_IDS[title]] || {place: 1e3}).place;
  const mark = (title) => (GROUP_IDS[title] ? swatch(title) : h('span', {class: 'swatch rest', 'aria-hidden': 'true'}));
  const present = [...new Set(titles)].sort((a, b) => place(a) - place(b));
  return h('ul', {class: 'legend'}, present.map((title) => h('li', {}, mark(title), title)));
}
