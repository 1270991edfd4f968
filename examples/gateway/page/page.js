// The page: each event of the stream is all counts at one moment. Rates are between two.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 });

function bytes(n) {
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (n < 1024) return (unit === "B" ? whole : tenths).format(n) + " " + unit;
    n /= 1024;
  }
  return tenths.format(n) + " TiB";
}

let before = null;

function show(now) {
  const seconds = before === null ? 0 : (now.time - before.time) / 1000;
  const rate = (name) => (seconds > 0 ? Math.max(0, now[name] - before[name]) / seconds : 0);
  const counts = [
    ["Requests per second", whole.format(rate("requests"))],
    ["In flight", whole.format(now.in_flight)],
    ["Requests", whole.format(now.requests)],
    ["Sent per second", bytes(rate("bytes_out"))],
    ["Connections", whole.format(now.connections)],
    ["Memory", bytes(now.memory)],
    ...Object.entries(now.answers).sort().map(([status, n]) => [status === "none" ? "Left before" : "Answers " + status, whole.format(n)]),
  ];
  document.getElementById("counts").replaceChildren(...counts.map(([name, value]) => {
    const box = document.createElement("div"), term = document.createElement("dt"), definition = document.createElement("dd");
    term.textContent = name;
    definition.textContent = value;
    box.append(term, definition);
    return box;
  }));
  const rows = Object.entries(now.upstreams).sort().flatMap(([name, servers]) => servers.map((s) => {
    const row = document.createElement("tr");
    for (const text of [name, s.address, s.state, whole.format(s.pending), whole.format(s.requests), whole.format(s.failures),
      `${whole.format(s.connections)} (${whole.format(s.idle)} idle)`]) {
      row.insertCell().textContent = text;
    }
    row.cells[2].dataset.state = s.state;
    return row;
  }));
  document.getElementById("upstreams").replaceChildren(...rows);
  before = now;
}

function showState(connected) {
  document.body.dataset.state = connected ? "connected" : "disconnected";
  document.body.toggleAttribute("data-lost", !connected);
  document.getElementById("state").textContent = connected ? "live" : "reconnecting…";
}

// The browser connects again by itself, unless the answer was an error: then this does.
function follow() {
  const source = new EventSource("events");
  source.onopen = () => showState(true);
  source.onerror = () => {
    showState(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
  };
  source.addEventListener("counts", (event) => show(JSON.parse(event.data)));
}

follow();
