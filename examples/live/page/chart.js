// A chart of one figure over time: a line, the bounds of its scale, and the value under
// the pointer. SVG, so that it is sharp on every screen and takes its colours from the
// style sheet. It is drawn in the pixels that it has, for text must not be stretched.

const right = 52, top = 8, bottom = 18; // what the labels take
const longestStep = 2500; // milliseconds between two samples that belong together

export class Chart {
  #svg;
  #span;
  #write;
  #unit;
  #least;
  #points = [];
  #width = 0;
  #height = 0;
  #pointer = null; // where on the chart, in pixels
  #parts = {};

  // span is how many milliseconds are shown. write makes text of a value, unit is added to
  // it, and the scale shows at least from 0 to least.
  constructor(svg, span, { write, unit, least }) {
    this.#svg = svg;
    this.#span = span;
    this.#write = write;
    this.#unit = unit;
    this.#least = least;
    for (const [name, tag] of [
      ["ceiling", "path"], ["floor", "path"], ["area", "path"], ["line", "path"], ["cursor", "path"],
      ["dot", "circle"], ["high", "text"], ["low", "text"], ["from", "text"], ["to", "text"], ["read", "text"],
    ]) {
      const part = document.createElementNS("http://www.w3.org/2000/svg", tag);
      part.setAttribute("class", name);
      svg.append(part);
      this.#parts[name] = part;
    }
    new ResizeObserver(([entry]) => {
      this.#width = entry.contentRect.width;
      this.#height = entry.contentRect.height;
      this.#draw();
    }).observe(svg);
    svg.addEventListener("pointermove", (event) => this.#point(event.offsetX));
    svg.addEventListener("pointerleave", () => this.#point(null));
  }

  // show draws points {time, value} in the order of time; the last is now.
  show(points) {
    this.#points = points;
    this.#draw();
  }

  #point(x) {
    this.#pointer = x;
    this.#draw();
  }

  #draw() {
    const points = this.#points;
    if (points.length === 0 || this.#width < right + 20 || this.#height < top + bottom + 10) return;
    const plot = { width: this.#width - right, height: this.#height - top - bottom };
    const ceiling = ceilingOf(Math.max(this.#least, ...points.map((p) => p.value)));
    const end = points[points.length - 1].time;
    const place = ({ time, value }) => ({
      x: plot.width * (1 - (end - time) / this.#span),
      y: top + plot.height * (1 - value / ceiling),
    });
    this.#svg.setAttribute("viewBox", `0 0 ${this.#width} ${this.#height}`);
    this.#drawScale(plot, ceiling);
    const base = top + plot.height;
    const runs = runsOf(points).map((run) => run.map(place));
    this.#set("line", { d: runs.map(pathOf).join("") });
    this.#set("area", {
      d: runs.map((run) => `${pathOf(run)}V${base}H${run[0].x.toFixed(1)}Z`).join(""),
    });
    this.#drawPointer(points, place, base);
  }

  #drawScale(plot, ceiling) {
    const edge = (y) => `M0 ${Math.round(y) + 0.5}H${plot.width}`;
    const base = top + plot.height;
    this.#set("ceiling", { d: edge(top) });
    this.#set("floor", { d: edge(base) });
    this.#set("high", { x: plot.width + 8, y: top + 4 }, ceiling.toLocaleString("en") + this.#unit);
    this.#set("low", { x: plot.width + 8, y: base + 4 }, "0");
    this.#set("from", { x: 0, y: this.#height - 3 }, "2 min ago");
    this.#set("to", { x: plot.width, y: this.#height - 3, "text-anchor": "end" }, "now");
  }

  // drawPointer marks the sample under the pointer, or the latest.
  #drawPointer(points, place, base) {
    const pointed = this.#pointer !== null;
    let at = points[points.length - 1];
    if (pointed) {
      const distance = (p) => Math.abs(place(p).x - this.#pointer);
      at = points.reduce((best, p) => (distance(p) < distance(best) ? p : best));
    }
    const { x, y } = place(at);
    this.#set("dot", { cx: x, cy: y, r: 3 });
    this.#set("cursor", { d: pointed ? `M${x} ${top}V${base}` : "" });
    const time = new Date(at.time).toLocaleTimeString();
    const leftHalf = x < (this.#width - right) / 2;
    this.#set("read", {
      x: leftHalf ? x + 8 : x - 8, y: top + 12, "text-anchor": leftHalf ? "start" : "end",
    }, pointed ? `${this.#write(at.value)}${this.#unit} at ${time}` : "");
  }

  #set(name, attributes, text) {
    const part = this.#parts[name];
    for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
    if (text !== undefined) part.textContent = text;
  }
}

// ceilingOf returns the least round number that v, at least 1, does not exceed.
function ceilingOf(v) {
  const power = 10 ** Math.floor(Math.log10(v));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => v <= step) ?? 10 * power;
}

// runsOf cuts the points where the page was away.
function runsOf(points) {
  const runs = [];
  points.forEach((p, i) => {
    if (i === 0 || p.time - points[i - 1].time > longestStep) runs.push([]);
    runs[runs.length - 1].push(p);
  });
  return runs;
}

function pathOf(run) {
  const steps = run.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`);
  return steps.join("") + (run.length === 1 ? "h0.1" : "");
}
