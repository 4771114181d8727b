// One hover, or one press of Tab, away: what a figure means. Whatever carries data-def, or stands in a column whose
// heading does, shows the definition of the program's field table; data-tip shows a text of its own.

const tip = at('tip');

function definitionOf(element) {
  const carrier = element.closest('[data-def],[data-tip],td');
  if (!carrier) return null;
  if (carrier.dataset.tip) return {carrier, lines: carrier.dataset.tip.split('\n')};
  let key = carrier.dataset.def;
  if (!key && carrier.tagName === 'TD') {
    const heads = carrier.closest('table').tHead;
    const head = heads && heads.rows[0].cells[carrier.cellIndex];
    key = head ? head.dataset.def : undefined;
  }
  if (!key) return null;
  const dot = key.indexOf('.');
  const column = columnInfo(key.slice(0, dot), key.slice(dot + 1));
  if (!column) return null;
  return {carrier, title: column.title, lines: [column.doc], exact: carrier.dataset.exact};
}

function showTip(element, x, y) {
  const found = element instanceof Element ? definitionOf(element) : null;
  if (!found) return hideTip();
  tip.replaceChildren(
      ...[found.title && h('strong', {}, found.title), ...found.lines.map((line) => h('span', {}, named(line, 400))),
          found.exact && h('span', {class: 'exact'}, found.exact)]
          .filter(Boolean));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${y + 18 + box.height > innerHeight ? Math.max(8, y - box.height - 12) : y + 18}px`;
}

function hideTip() {
  tip.hidden = true;
}

addEventListener('mousemove', (event) => {
  if (event.target instanceof Element && event.target.closest('[data-owntip]')) return;
  showTip(event.target, event.clientX, event.clientY);
});
addEventListener('focusin', (event) => {
  if (!event.target.matches(':focus-visible')) return;
  const box = event.target.getBoundingClientRect();
  showTip(event.target, box.left, box.bottom - 10);
});
addEventListener('focusout', hideTip);
addEventListener('scroll', hideTip, {passive: true});
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') hideTip();
});
