// The board: the list of messages, the newest last, and the form that sends one.

const kept = 500; // messages, as on the server
const longestSending = 10_000; // milliseconds

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export class Board {
  #list = document.getElementById("messages");
  #scroll = this.#list.parentElement;
  #newer = document.getElementById("newer");
  #items = new Map(); // by id
  #follows = false; // the newest message is in view, and is to stay so
  #top = 0; // where the list was scrolled to last
  #drawn = 0;

  constructor() {
    this.#follow(true);
    this.#scroll.addEventListener("scroll", () => this.#scrolled());
    this.#newer.addEventListener("click", () => this.#toEnd());
    new ResizeObserver(() => this.#follows && this.#toEnd()).observe(this.#scroll);
    new Form(() => this.#toEnd());
  }

  // add shows a message, once however often it comes. Its text is only ever text.
  add(id, text) {
    if (this.#items.has(id)) return;
    const item = document.createElement("li");
    item.dataset.id = id;
    const content = document.createElement("div");
    content.className = "text";
    content.textContent = text;
    item.append(timeOf(id), content);
    this.#items.set(id, item);
    if (this.#items.size > kept) this.#removeOldest();
    this.#append(item);
  }

  // addGap says that there are messages that nobody has any more.
  addGap() {
    if (this.#items.size === 0) return;
    const item = document.createElement("li");
    item.className = "gap";
    item.textContent = "Some messages are missing here: this page was away for too long.";
    this.#append(item);
  }

  #removeOldest() {
    const [id] = this.#items.keys();
    this.#items.delete(id);
    let first;
    do {
      first = this.#list.firstElementChild;
      first.remove();
    } while (first.dataset.id !== id);
  }

  // append scrolls once for all that comes before the next frame.
  #append(item) {
    this.#list.append(item);
    if (this.#drawn !== 0) return;
    this.#drawn = requestAnimationFrame(() => {
      this.#drawn = 0;
      if (this.#follows) this.#toEnd();
      else this.#newer.hidden = false;
    });
  }

  // scrolled tells the reader's scrolling from our own: only the reader scrolls up. That
  // the end is out of view says nothing, for a message may have come since.
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    if (scrollHeight - scrollTop - clientHeight < 40) this.#follow(true);
    else if (scrollTop < this.#top) this.#follow(false);
    this.#top = scrollTop;
  }

  // follow marks the list for the style sheet, too: while it follows, the browser must not
  // scroll it to hold a message in its place.
  #follow(follows) {
    this.#follows = follows;
    this.#scroll.toggleAttribute("data-follows", follows);
    if (follows) this.#newer.hidden = true;
  }

  #toEnd() {
    this.#follow(true);
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#top = this.#scroll.scrollTop;
  }
}

// timeOf makes the time that an id begins with.
function timeOf(id) {
  const element = document.createElement("time");
  const date = new Date(Number.parseInt(id, 10));
  if (Number.isNaN(date.getTime())) return element;
  const today = date.toDateString() === new Date().toDateString();
  element.dateTime = date.toISOString();
  element.textContent = today ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
  return element;
}

// A Form sends messages one after another. A text that could not be sent, and those
// behind it, go back into the field, before what was written there meanwhile.
class Form {
  #form = document.getElementById("publish");
  #field = document.getElementById("text");
  #problem = document.getElementById("problem");
  #waiting = []; // texts, the first of which is being sent
  #sent;

  constructor(sent) {
    this.#sent = sent;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("input", () => this.#fit());
  }

  #submit() {
    const text = this.#field.value;
    if (text.trim() === "") return;
    this.#setText("");
    this.#problem.textContent = "";
    this.#waiting.push(text);
    if (this.#waiting.length === 1) this.#send();
  }

  async #send() {
    while (this.#waiting.length > 0) {
      const problem = await post(this.#waiting[0]);
      if (problem !== "") {
        this.#setText([...this.#waiting, this.#field.value].filter((text) => text !== "").join("\n"));
        this.#waiting = [];
        this.#problem.textContent = problem;
        return;
      }
      this.#waiting.shift();
      this.#sent();
    }
  }

  #setText(text) {
    this.#field.value = text;
    this.#fit();
  }

  // fit makes the field as high as its text, within the bounds of the style sheet.
  #fit() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }
}

// post sends a message. It returns "", or a sentence that says what was wrong.
async function post(text) {
  try {
    const answer = await fetch("/publish", {
      method: "POST",
      headers: { "Content-Type": "text/plain; charset=utf-8" },
      body: text,
      signal: AbortSignal.timeout(longestSending),
    });
    if (answer.ok) return "";
    const reason = (await answer.text()).trim();
    return `Not sent. ${reason || `The server answered ${answer.status}.`}`;
  } catch {
    return "Not sent: the server cannot be reached. Your text is still here.";
  }
}
