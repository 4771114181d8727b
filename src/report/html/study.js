// A study: what its figures say, then its tables, before the points that they are made from.

const isStudy = (point) => point.settings.length > 0 && point.settings[0][0] === 'study';

function drawStudy() {
  const study = OVERVIEWS.find(isStudy);
  at('study').hidden = !study;
  if (!study) return;
  const paper = settingOf(study, 'paper');
  at('study-title').textContent = settingOf(study, 'asks');
  fill(
      'study-body', h('p', {class: 'doc'}, `${settingOf(study, 'study')} · ${paper}`),
      h('dl', {class: 'pairs reading'},
        rowsOf(study, 'study_reading').map((row) => [h('dt', {}, named(row.about, 60)), h('dd', {}, row.text)])),
      tablesOf(study, true).filter((table) => table.dataset.section !== 'study_reading'));
}
