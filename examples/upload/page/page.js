// The page: files that are dropped or chosen are sent one after another, each with a bar,
// and the folder is shown as it is after each.

import { bytes, Transfer } from "./transfer.js";

const form = document.getElementById("upload");
const input = document.getElementById("files");
const transfers = document.getElementById("transfers");
const kept = document.getElementById("kept");
const problem = document.getElementById("problem");
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const waiting = []; // transfers, the first of which is being sent

function add(files) {
  for (const file of files) {
    const transfer = new Transfer(file);
    transfers.append(transfer.item);
    waiting.push(transfer);
    if (waiting.length === 1) sendAll();
  }
}

async function sendAll() {
  while (waiting.length > 0) {
    await waiting[0].send();
    waiting.shift();
    await showFolder();
  }
}

async function showFolder() {
  try {
    const answer = await fetch("/uploads");
    if (!answer.ok) throw new Error(await answer.text());
    kept.replaceChildren(...(await answer.json()).map(itemOf));
    problem.textContent = "";
  } catch {
    problem.textContent = "The folder cannot be shown: the server does not answer.";
  }
}

function itemOf(upload) {
  const item = document.createElement("li");
  const name = document.createElement("span"), note = document.createElement("span");
  name.className = "name";
  name.textContent = upload.name;
  note.className = "note";
  note.textContent = `${bytes(upload.size)}, ${clock.format(new Date(upload.time))}`;
  item.append(name, note);
  return item;
}

input.addEventListener("change", () => {
  add(input.files);
  input.value = "";
});
form.addEventListener("submit", (event) => event.preventDefault());

// The whole window takes files, so that one that misses the frame does not replace the page.
addEventListener("dragover", (event) => {
  event.preventDefault();
  form.toggleAttribute("data-over", true);
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) form.toggleAttribute("data-over", false);
});
addEventListener("drop", (event) => {
  event.preventDefault();
  form.toggleAttribute("data-over", false);
  add(event.dataTransfer.files);
});

showFolder();
