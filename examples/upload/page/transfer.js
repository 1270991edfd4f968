// A file on its way: its line in the list, and its sending.

const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
const longestOpening = 5000; // milliseconds

// bytes writes a number of bytes.
export function bytes(count) {
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit++;
  }
  return `${count.toLocaleString("en", { maximumFractionDigits: unit === 0 || count >= 100 ? 0 : 1 })} ${units[unit]}`;
}

export class Transfer {
  item = document.createElement("li");
  #file;
  #bar = document.createElement("progress");
  #note = document.createElement("span");
  #cancel = document.createElement("button");
  #abort = new AbortController();

  constructor(file) {
    this.#file = file;
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = file.name;
    this.#note.className = "note";
    this.#note.textContent = `waiting, ${bytes(file.size)}`;
    this.#bar.max = 1;
    this.#bar.value = 0;
    this.#bar.setAttribute("aria-label", `How much of ${file.name} the server has got`);
    this.#cancel.type = "button";
    this.#cancel.textContent = "Cancel";
    this.#cancel.addEventListener("click", () => this.#abort.abort());
    this.item.append(name, this.#note, this.#bar, this.#cancel);
  }

  // send sends the file, and shows what the server says of it. It never fails.
  async send() {
    if (this.#abort.signal.aborted) return this.#end("failed", "Cancelled.");
    const id = newID();
    const events = new EventSource(`/progress?id=${id}`);
    events.addEventListener("message", (event) => this.#show(JSON.parse(event.data)));
    try {
      await opened(events);
      const form = new FormData();
      form.append("file", this.#file);
      const answer = await fetch(`/upload?id=${id}`, { method: "POST", body: form, signal: this.#abort.signal });
      if (!answer.ok) return this.#end("failed", await refusal(answer));
      const [kept] = await answer.json();
      this.#end("done", `${bytes(kept.size)} in the folder`);
    } catch {
      this.#end("failed", this.#abort.signal.aborted ? "Cancelled." : "The server does not answer, or the file is too large.");
    } finally {
      events.close();
    }
  }

  #show({ received, total }) {
    if (total > 0) this.#bar.value = received / total;
    this.#note.textContent = `${bytes(Math.min(received, this.#file.size))} of ${bytes(this.#file.size)}`;
  }

  #end(state, sentence) {
    this.item.dataset.state = state;
    this.#note.textContent = sentence;
    this.#bar.remove();
    this.#cancel.remove();
  }
}

// refusal is the sentence of an answer that refuses, which is a problem document or plain text.
async function refusal(answer) {
  const isProblem = answer.headers.get("Content-Type") === "application/problem+json";
  const text = isProblem ? (await answer.json()).detail : await answer.text();
  return text?.trim() || `The server answered ${answer.status}.`;
}

// opened waits until events come, or until it is plain that there will be none: then the
// file is sent all the same.
function opened(events) {
  return new Promise((resolve) => {
    events.addEventListener("open", resolve, { once: true });
    events.addEventListener("error", resolve, { once: true });
    setTimeout(resolve, longestOpening);
  });
}

// newID makes an id that nobody else has. (crypto.randomUUID is for secure contexts only.)
function newID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
