// What page_test.py asks of the page's elements, from within.

const channelsOf = (colour) => {
  const numbers = colour.match(/[\d.]+/g).map(Number);
  return numbers.length < 4 ? [...numbers, 1] : numbers;
};
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
const lightness = (colour) => {
  const [r, g, b] = colour.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

function groundOf(element) {
  const layers = [];
  for (let e = element; e; e = e.parentElement) {
    const colour = channelsOf(getComputedStyle(e).backgroundColor);
    if (colour[3] > 0) layers.push(colour);
    if (colour[3] === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
}

// Texts whose contrast with what is behind them is below 4.5.
function poorContrasts() {
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const e = walker.currentNode.parentElement;
    if (text === '' || e.closest('script, style, noscript, option, [aria-hidden]') || !e.checkVisibility()) continue;
    const drawn = e instanceof SVGElement;
    const ground = groundOf(drawn ? e.closest('svg').parentElement : e);
    const ink = over(channelsOf(drawn ? getComputedStyle(e).fill : getComputedStyle(e).color), ground);
    const [a, b] = [lightness(ink), lightness(ground)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) poor.push(`${contrast.toFixed(2)} ${e.tagName} ${e.className} ${text.slice(0, 40)}`);
  }
  return poor;
}

// Numbers without a definition one hover away; differences of two numbers have none of their own.
function bareNumbers() {
  const bare = [];
  for (const e of document.querySelectorAll('td.n, dd, .figure strong, .bar .value, .meterline .over')) {
    const text = e.textContent;
    if (text === '' || text === '–' || e.closest('#context, .strip, .heat') || /^×|points$/.test(text)) continue;
    if (e.cellIndex !== 0 && !definitionOf(e)) bare.push(e.outerHTML.slice(0, 200));
  }
  return bare;
}

const CONTROLS = 'button, input, select, summary, a[href], [role=img], [role=application], [role=group], nav';

function nameless() {
  const named = (e) =>
      e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.innerText || (e.labels && e.labels.length);
  return [...document.querySelectorAll(CONTROLS)]
      .filter((e) => e.checkVisibility() && e.getAttribute('tabindex') !== '-1' && !named(e))
      .map((e) => e.outerHTML.slice(0, 120));
}

// Numbers everything that Tab should come to; how many that are.
function numberStops() {
  const stops = [...document.querySelectorAll('button, input, select, a[href], summary, [tabindex="0"]')].filter(
      (e) => e.checkVisibility() && e.tabIndex >= 0);
  stops.forEach((e, place) => {
    e.dataset.stop = place;
  });
  return stops.length;
}

function whereFocusIs() {
  const style = getComputedStyle(document.activeElement);
  return [document.activeElement.dataset.stop, style.outlineStyle !== 'none' && style.outlineWidth !== '0px'];
}

const levelsOfHeadings = () => [...document.querySelectorAll('h1, h2, h3')]
                                   .filter((e) => e.checkVisibility())
                                   .map((e) => Number(e.tagName[1]));

const doubledIds =
    () => [...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i);

// By row of a tree: level, name and what its cells say.
const treeRows = (body) => [...document.querySelectorAll(`#${body} tbody tr`)].map(
    (tr) => ({level: Number(tr.dataset.level), name: tr.dataset.name, cells: [...tr.cells].map((c) => c.innerText)}));

const widthsOfBars = () => [...document.querySelectorAll('.stack')].map(
    (bar) => [...bar.children].reduce((sum, part) => sum + parseFloat(part.style.width), 0));

function compareWith(setting, value) {
  const control = document.querySelector('#compare-controls select');
  control.value = String(POINTS.findIndex((point) => settingOf(point, setting) === value));
  control.dispatchEvent(new Event('change'));
}

// Zooms the timeline in and out again, a frame each time.
function drawFrames(count) {
  timeline.show(0, timeline.total);
  for (let i = 0; i < count; ++i) {
    timeline.zoom(i < count / 2 ? 0.8 : 1.25);
    timeline.paint();
  }
}

// A picture reduced to so many pixels, as numbers from 0 to 255, red, green and blue in turns.
async function reduced(png, width, height) {
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  await picture.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, width, height);
  return [...context.getImageData(0, 0, width, height).data].filter((_, i) => i % 4 < 3);
}

const rgbAt = (context, x, y) => [...context.getImageData(Math.floor(x), Math.floor(y), 1, 1).data].slice(0, 3).join();

function rgbOf(colour) {
  const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return rgbAt(context, 0, 0);
}

// What a canvas of the page shows, to be read pixel by pixel.
function pixelsOf(canvas) {
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext('2d', {willReadFrequently: true});
  context.drawImage(canvas, 0, 0);
  return context;
}

// Of a lane of the timeline: how many entries are wide enough to be told apart, and how many of them are painted in
// their colour.
function drawnEntries(place) {
  const lane = timeline.lanes[place];
  const context = pixelsOf(timeline.canvas);
  const scale = timeline.canvas.width / timeline.width;
  let [wide, drawn] = [0, 0];
  for (let i = 0; i < lane.begin.length; ++i) {
    const [left, right] = [timeline.x(lane.begin[i]), timeline.x(lane.end[i])];
    if (right - left < 4) continue;
    ++wide;
    const painted = rgbAt(context, (left + right) / 2 * scale, (timeline.y(place) + 2) * scale);
    drawn += painted === rgbOf(lane.colours[i]);
  }
  return [wide, drawn];
}

// Whether between two entries of a lane that have room between them nothing is painted.
function emptyBetween(place) {
  const lane = timeline.lanes[place];
  const context = pixelsOf(timeline.canvas);
  const scale = timeline.canvas.width / timeline.width;
  for (let i = 1; i < lane.begin.length; ++i) {
    const [left, right] = [timeline.x(lane.end[i - 1]), timeline.x(lane.begin[i])];
    if (right - left < 6) continue;
    return rgbAt(context, (left + right) / 2 * scale, (timeline.y(place) + 2) * scale) === rgbOf(themeColour('card'));
  }
  return false;
}

// What the minimap has in the middle of what is in sight, and just outside it, above all activity.
function mapFrame() {
  const context = pixelsOf(timeline.map);
  const scale = timeline.map.width / timeline.width;
  const at = (time) => LABELS + time / timeline.total * (timeline.width - LABELS);
  const [left, right] = [at(timeline.from), at(timeline.to)];
  return [rgbAt(context, (left + right) / 2 * scale, 3 * scale), rgbAt(context, (right + 6) * scale, 3 * scale)];
}
