// The page: what comes from the stream goes to the tiles and to the board.

import { Board } from "./board.js";
import { Chart } from "./chart.js";
import { Stream } from "./stream.js";

const shown = 120_000; // milliseconds that the charts show

const number = (digits) => new Intl.NumberFormat("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
const whole = number(0), tenths = number(1), hundredths = number(2);
const rate = (v) => (v < 10 && v !== Math.round(v) ? tenths : whole).format(v);
const mebibytes = (bytes) => bytes / (1 << 20);

// What the tiles show: the value of a sample, how it is written, the unit of the chart's
// scale, the least that this scale shows, and a note.
const figures = {
  connections: { of: (s) => s.connections, write: whole.format, unit: "", least: 10 },
  requests: { of: (s) => s.requests, write: rate, unit: "/s", least: 10 },
  subscribers: { of: (s) => s.subscribers, write: whole.format, unit: "", least: 10 },
  delivered: {
    of: (s) => s.delivered, write: rate, unit: "/s", least: 10,
    note: (s) => `${whole.format(s.delivered_total)} in all, ${whole.format(s.dropped)} dropped`,
  },
  lag: {
    of: (s) => s.lag, write: (v) => (v < 10 ? hundredths : v < 100 ? tenths : whole).format(v), unit: " ms", least: 1,
    note: () => "the slowest loop",
  },
  memory: {
    of: (s) => mebibytes(s.memory), write: tenths.format, unit: " MiB", least: 10,
    note: (s) => `${whole.format(s.goroutines)} goroutines`,
  },
};

const tiles = Object.entries(figures).map(([name, figure]) => {
  const tile = document.querySelector(`[data-figure="${name}"]`);
  return {
    ...figure,
    value: tile.querySelector(".value"),
    noteLine: tile.querySelector(".note"),
    chart: new Chart(tile.querySelector("svg"), shown, figure),
  };
});

let samples = []; // by time, each time once, the latest last

// take adds samples, the latest of which came last. What is later than that is of a clock
// that has been set back.
function take(more) {
  if (more.length === 0) return;
  const byTime = new Map(samples.concat(more).map((s) => [s.time, s]));
  const latest = more[more.length - 1];
  samples = [...byTime.values()]
    .filter((s) => s.time > latest.time - shown && s.time <= latest.time)
    .sort((a, b) => a.time - b.time);
  for (const tile of tiles) {
    tile.value.textContent = tile.write(tile.of(latest));
    tile.noteLine.textContent = tile.note ? tile.note(latest) : "";
    tile.chart.show(samples.map((s) => ({ time: s.time, value: tile.of(s) })));
  }
}

const board = new Board();

function showState(connected) {
  document.body.dataset.state = connected ? "connected" : "disconnected";
  document.body.toggleAttribute("data-lost", !connected); // which it was not before it first connected
  document.getElementById("state-text").textContent = connected ? "live" : "reconnecting…";
  document.title = connected ? "Live · Penstock" : "Reconnecting… · Penstock";
}

new Stream("/events", showState, {
  message: (event) => board.add(event.lastEventId, event.data),
  missed: () => board.addGap(),
  figures: (event) => take([JSON.parse(event.data)]),
  history: (event) => take(JSON.parse(event.data)),
});
