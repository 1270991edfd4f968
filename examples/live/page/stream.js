// The stream of events, opened again whenever it breaks.
//
// There are three ways for it to break. The browser notices the end of a connection and
// connects again by itself, with the id of the last event in Last-Event-ID. It gives up
// when the answer is an error: then a new EventSource is made after a second, later after
// up to five, which says the id in its address. And a connection can die without a sign:
// since there are figures every second, five seconds without any event are taken for that.

const silence = 5000, firstDelay = 1000, longestDelay = 5000; // milliseconds

export class Stream {
  #address;
  #showState;
  #listeners;
  #source = null;
  #lastId = "";
  #heard = 0; // when something came, or was tried, last
  #delay = firstDelay;
  #retry = 0;

  // listeners are called with the events of their name. showState is called with true when
  // the stream is open and with false when it breaks.
  constructor(address, showState, listeners) {
    this.#address = address;
    this.#showState = showState;
    this.#listeners = listeners;
    this.#open();
    setInterval(() => this.#watch(), 1000);
    addEventListener("online", () => this.#openAgain());
  }

  #open() {
    const after = this.#lastId === "" ? "" : "?after=" + encodeURIComponent(this.#lastId);
    const source = new EventSource(this.#address + after);
    this.#source = source;
    this.#heard = performance.now();
    source.onopen = () => {
      this.#heard = performance.now();
      this.#delay = firstDelay;
      this.#showState(true);
    };
    source.onerror = () => {
      this.#showState(false);
      if (source.readyState === EventSource.CLOSED) this.#openLater();
    };
    for (const [name, listener] of Object.entries(this.#listeners)) {
      source.addEventListener(name, (event) => {
        this.#heard = performance.now();
        if (event.lastEventId !== "") this.#lastId = event.lastEventId;
        listener(event);
      });
    }
  }

  #openAgain() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    this.#source.close();
    this.#open();
  }

  // The delay is spread, so that many pages do not all come back in one moment.
  #openLater() {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#openAgain(), this.#delay * (0.8 + 0.4 * Math.random()));
    this.#delay = Math.min(2 * this.#delay, longestDelay);
  }

  #watch() {
    if (this.#retry !== 0 || performance.now() - this.#heard < silence) return;
    this.#showState(false);
    this.#openAgain();
  }
}
