// One inference in time, on a canvas: lanes of host calls, waits of the host, gaps and the device's streams. Only what
// is in sight is looked at, and what is narrower than a pixel is drawn once for that pixel, so that 10^5 kernels move
// smoothly.

const LANE = 24;
const LANE_GAP = 7;
const TOP = 24;
const LABELS = 118;

// One lane: arrays in order of time, of which entry i says [begin, end), the node, and what to say of it.
class Lane {
  constructor(kind, title, columns, colourOf) {
    this.kind = kind;
    this.title = title;
    this.columns = columns;
    this.begin = Float64Array.from(columns.begin);
    this.end = Float64Array.from(columns.begin, (begin, i) => begin + columns.duration[i]);
    this.colours = columns.begin.map((_, i) => colourOf(i));
    this.longest = this.end.reduce((most, end, i) => Math.max(most, end - this.begin[i]), 0);
  }

  // The first entry that may reach into what begins at `from`.
  first(from) {
    const wanted = from - this.longest;
    let [low, high] = [0, this.begin.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.begin[middle] < wanted)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }

  // The innermost entry at a time, give or take; -1 without one.
  at(time, slack) {
    let best = -1;
    for (let i = this.first(time - slack); i < this.begin.length && this.begin[i] <= time + slack; ++i) {
      if (this.end[i] < time - slack) continue;
      const inside = time >= this.begin[i] && time <= this.end[i];
      const shorter = best >= 0 && this.end[i] - this.begin[i] <= this.end[best] - this.begin[best];
      if (best < 0 || (inside && shorter)) best = i;
    }
    return best;
  }
}

function lanesOf(point, nodes) {
  const colourOfNode = (node) => (known(node) && nodes[node] ? titleColour(nodes[node].group) : groupColour('other'));
  const lanes = [];
  const calls = columnsOf(point, 'timeline_calls');
  const waits = columnsOf(point, 'timeline_waits');
  const device = columnsOf(point, 'timeline_device');
  if (calls) lanes.push(new Lane('call', device ? 'Host calls' : 'Calls', calls, (i) => colourOfNode(calls.node[i])));
  if (waits) lanes.push(new Lane('wait', 'Host waits', waits, () => groupColour('synchronisation')));
  const source = device || calls;
  const picked = source.gap ? source.gap.map((gap, i) => i).filter((i) => source.gap[i] > 0) : [];
  const gaps = {
    begin: picked.map((i) => source.begin[i] - source.gap[i]),
    duration: picked.map((i) => source.gap[i]),
    node: picked.map((i) => (source.node ? source.node[i] : null))
  };
  if (picked.length > 0) {
    lanes.push(new Lane('gap', device ? 'Device waits' : 'Between calls', gaps, () => '#d7263d'));
  }
  if (!device) return lanes;
  for (const stream of [...new Set(device.stream)].sort((a, b) => a - b)) {
    const own = device.stream.map((_, i) => i).filter((i) => device.stream[i] === stream);
    const columns = Object.fromEntries(Object.entries(device).map(([id, values]) => [id, own.map((i) => values[i])]));
    lanes.push(
        new Lane('device', `Stream ${stream}`, columns, (i) => colourOfNode(columns.node ? columns.node[i] : null)));
  }
  return lanes;
}

// The whole inference once: how full each pixel of the device, or of the calls, is.
function wholeOf(lanes, total, width, map, ink) {
  const picture = h('canvas', {width: map.width, height: map.height});
  const c = picture.getContext('2d');
  const scale = map.width / width;
  c.setTransform(scale, 0, 0, scale, 0, 0);
  const kind = lanes.some((lane) => lane.kind === 'device') ? 'device' : 'call';
  const wide = width - LABELS;
  const full = new Float64Array(Math.ceil(wide) + 1);
  for (const lane of lanes.filter((one) => one.kind === kind)) {
    for (let i = 0; i < lane.begin.length; ++i) {
      const left = lane.begin[i] / total * wide;
      const right = lane.end[i] / total * wide;
      for (let p = Math.floor(left); p <= right && p < wide; ++p) {
        full[p] += Math.max(0, Math.min(right, p + 1) - Math.max(left, p));
      }
    }
  }
  c.fillStyle = ink.card;
  c.fillRect(LABELS, 2, wide, 28);
  c.fillStyle = ink.soft;
  for (let p = 0; p < wide; ++p) {
    const high = Math.min(1, full[p]) * 26;
    c.fillRect(LABELS + p, 30 - high, 1, high);
  }
  return picture;
}
