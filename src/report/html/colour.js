// Colours. Groups in the order of a palette that people with any kind of colour vision tell apart where it matters, in
// bars whose parts stand beside one another; names stand beside colours everywhere.

const GROUP_COLOURS = {
  gemm: '#44607f',
  attention: '#94aecb',
  activation: '#d1495b',
  normalization: '#edae49',
  arithmetic: '#2a9d8f',
  'memory-layout': '#d8cbe8',
  'memory-movement': '#7d5ba6',
  logit: '#f4845f',
  roi: '#0b4f5c',
  interpolation: '#8ecae6',
  embedding: '#8f6b4f',
  pooling: '#d9b98a',
  reduction: '#9fb12c',
  routing: '#320b8d',
  quantization: '#ff7ad1',
  communication: '#9b2226',
  synchronisation: '#7a8087',
  control: '#d3d7dc',
  other: '#3a3f46',
};
const FURTHER_COLOURS = ['#386641', '#ff9f1c', '#3d348b', '#70c1b3'];

function groupColour(id) {
  if (GROUP_COLOURS[id]) return GROUP_COLOURS[id];
  const own = DATA.groups.filter((group) => !GROUP_COLOURS[group.id]).findIndex((group) => group.id === id);
  return FURTHER_COLOURS[Math.max(own, 0) % FURTHER_COLOURS.length];
}
const titleColour = (title) => groupColour(GROUP_IDS[title] || 'other');

const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

function luminance(hex) {
  const [r, g, b] = channels(hex).map((v) => {
    const c = v / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// Black or white, whichever reads better: one of them always has a contrast of 4.58.
const inkOn = (hex) => (luminance(hex) > 0.179 ? '#000000' : '#ffffff');

function mix(from, to, share) {
  const a = channels(from);
  const b = channels(to);
  return `#${a.map((v, i) => Math.round(v + (b[i] - v) * share).toString(16).padStart(2, '0')).join('')}`;
}

const isDark = () => document.documentElement.dataset.theme === 'dark';
const heatColour = (share) => (isDark() ? mix('#1d2530', '#7fb0e8', share) : mix('#f1f5fa', '#1f4f87', share));
const themeColour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function swatch(title) {
  return h('span', {class: 'swatch', style: {background: titleColour(title)}, 'aria-hidden': 'true'});
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
