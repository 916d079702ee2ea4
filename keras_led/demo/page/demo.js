// What the user sees and does; the model itself runs in `worker.js`.

import { SourcesView } from "./sources_view.js";

const find = (id) => document.getElementById(id);
const [form, text, start, stop, file, status, progress, error] = [
  "form", "text", "start", "stop", "file", "status", "progress", "error",
].map(find);
const LARGEST_FILE = 50e6; // bytes

const worker = new Worker("worker.js", { type: "module" });
let facts = null; // of the model, once it is loaded
let view = null; // the result on the screen
let began = 0;
let written = 0; // tokens

const count = (number, word) =>
  `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

function busy(message, share = null) {
  status.textContent = message;
  progress.hidden = false;
  if (share === null) progress.removeAttribute("value");
  else progress.value = share;
}

function rest(message) {
  status.textContent = message;
  progress.hidden = true;
  start.disabled = facts === null;
  stop.hidden = true;
}

const answers = {
  loading({ done, total }) {
    const megabytes = (bytes) => (bytes / 1e6).toFixed(0);
    const sizes = `${megabytes(done)} of ${megabytes(total)} MB`;
    busy(`Loading the model: ${sizes} …`, done / total);
  },
  starting() {
    busy("Starting the model …");
  },
  ready(found) {
    facts = found;
    find("model").textContent = facts.name;
    find("facts").textContent =
      `${facts.name} reads up to ${count(facts.limit, "token")} and writes ` +
      `up to ${facts.max_length - 1}. ${facts.notes.join(" ")}`;
    rest("Ready.");
  },
  read({ source, spans, cut }) {
    find("notice").textContent = cut;
    const element = find("document");
    element.replaceChildren(...documentNodes(source, spans));
    find("summary").replaceChildren();
    find("passage").textContent = "";
    find("result").hidden = false;
    view = new SourcesView(find("summary"), element, find("passage"));
    busy(`Reading ${count(spans.length, "token")} …`);
  },
  token({ piece, shares, tokens }) {
    written = tokens;
    busy(`Writing: ${count(tokens, "token")} …`, tokens / facts.max_length);
    if (!piece) return;
    const word = document.createElement("button");
    word.type = "button";
    word.textContent = piece;
    find("summary").append(word);
    view.add(word, shares);
    view.paint(view.rows.length - 1);
  },
  done({ summary, stopped }) {
    view.paint(null);
    if (!summary) find("summary").textContent = "(The model wrote nothing.)";
    const copy = find("copy");
    copy.hidden = !summary;
    copy.dataset.summary = summary;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const what = stopped ? "Stopped" : "Done";
    rest(`${what}: ${count(written, "token")} in ${seconds} s.`);
  },
  failed({ message }) {
    error.textContent = message;
    rest(facts ? "Ready." : "The model is not loaded.");
  },
};

// The text with a <span> for each token that has characters of its own.
function documentNodes(source, spans) {
  const nodes = [];
  let end = 0;
  spans.forEach(([first, last], token) => {
    if (last <= Math.max(first, end)) return;
    const begin = Math.max(first, end);
    nodes.push(source.slice(end, begin));
    const span = document.createElement("span");
    span.dataset.token = token;
    span.textContent = source.slice(begin, last);
    nodes.push(span);
    end = last;
  });
  nodes.push(source.slice(end));
  return nodes;
}

async function readFile(chosen) {
  error.textContent = "";
  if (chosen.size > LARGEST_FILE) {
    error.textContent = `${chosen.name} is too large for a page: over 50 MB.`;
    return;
  }
  try {
    const bytes = await chosen.arrayBuffer();
    text.value = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    status.textContent = `Opened ${chosen.name}.`;
  } catch {
    error.textContent =
      `${chosen.name} is not a UTF-8 text file. Save a PDF or a Word ` +
      "document as text first.";
  }
}

worker.onmessage = ({ data }) => answers[data.kind](data);
worker.onerror = (event) =>
  answers.failed({
    message:
      "The page could not start its program. Open it through a web server " +
      `(keras-led demo), in a current browser. (${event.message ?? "no detail"})`,
  });

form.addEventListener("submit", (event) => {
  event.preventDefault();
  error.textContent = "";
  if (!text.value.trim()) {
    error.textContent = "There is no text yet. Paste one, or open a file.";
    text.focus();
    return;
  }
  start.disabled = true;
  stop.hidden = false;
  find("copy").hidden = true;
  began = performance.now();
  written = 0;
  busy("Reading …");
  worker.postMessage({ kind: "summarize", text: text.value });
});
stop.addEventListener("click", () => worker.postMessage({ kind: "stop" }));
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    form.requestSubmit(start.disabled ? undefined : start);
  }
});
find("open").addEventListener("click", () => file.click());
file.addEventListener("change", () => file.files[0] && readFile(file.files[0]));
find("example").addEventListener("click", async () => {
  const answer = await fetch("example.txt");
  text.value = await answer.text();
});
find("copy").addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(event.currentTarget.dataset.summary);
  status.textContent = "Copied.";
});
for (const name of ["dragover", "dragleave", "drop"]) {
  addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dropping", name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) {
      readFile(event.dataTransfer.files[0]);
    }
  });
}
