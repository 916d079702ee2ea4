// Runs the model beside the page, and tells it what happens.

import { Tokenizer } from "./runtime/tokenizers.min.mjs";
import { LED } from "./led.js";
import { TextPieces, describeCut, readDocument, tokenSpans } from "./texts.js";

let led, settings, tokenizer;
let stopped = false;

const tell = (kind, content = {}) => postMessage({ kind, ...content });
const breathe = () => new Promise((resume) => setTimeout(resume));

// Fetches a file of the model; `done` hears how many bytes have come.
async function fetchBytes(name, done) {
  let answer;
  try {
    answer = await fetch(`model/${name}`);
  } catch {
    throw new Error(`model/${name} could not be loaded: no connection.`);
  }
  if (!answer.ok) {
    throw new Error(
      `model/${name} could not be loaded: the server says ${answer.status}.`,
    );
  }
  const chunks = [];
  const reader = answer.body.getReader();
  for (;;) {
    const { done: last, value } = await reader.read();
    if (last) break;
    chunks.push(value);
    done(value.length);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

async function fetchJson(name) {
  const bytes = await fetchBytes(name, () => {});
  return JSON.parse(new TextDecoder().decode(bytes));
}

async function load() {
  settings = await fetchJson("demo.json");
  const total = Object.values(settings.files).reduce((a, b) => a + b);
  let done = 0;
  const advance = (bytes) => tell("loading", { done: (done += bytes), total });
  const files = {};
  for (const name of Object.keys(settings.files)) {
    files[name] = await fetchBytes(name, advance);
  }
  tell("starting");
  const json = await fetchJson("tokenizer.json");
  tokenizer = new Tokenizer(json, await fetchJson("tokenizer_config.json"));
  led = await LED.load(files, settings);
  const { name, limit, max_length, notes } = settings;
  tell("ready", { name, limit, max_length, notes });
}

async function summarize(text) {
  stopped = false;
  const source = readDocument(tokenizer, text, settings);
  const spans = tokenSpans(text, source.tokens, settings);
  const cut = source.isCut ? describeCut(text, spans, settings) : "";
  tell("read", { source: text, spans, cut });
  await breathe();
  const special = new Set(settings.special_token_ids);
  const kept = source.ids.map((id) => !special.has(id));
  const pieces = new TextPieces(tokenizer, settings, special);
  let tokens = 0;
  for await (const { id, shares } of led.generate(source.ids)) {
    tokens += 1;
    tell("token", { ...pieces.add(id, onlyKept(shares, kept)), tokens });
    await breathe();
    if (stopped) break;
  }
  tell("token", { ...pieces.rest(), tokens });
  tell("done", { summary: pieces.text.trim(), stopped });
}

// Shares of the tokens that have text, which add up to 1.
function onlyKept(shares, kept) {
  const own = shares.map((share, token) => (kept[token] ? share : 0));
  const sum = own.reduce((a, b) => a + b, 0);
  return own.map((share) => share / (sum || 1));
}

function explain(error) {
  const text = String(error?.message ?? error);
  if (/memory|allocat/i.test(text)) {
    return `There is not enough memory for this text. (${text})`;
  }
  return text;
}

const work = { summarize: ({ text }) => summarize(text) };
onmessage = async ({ data }) => {
  if (data.kind === "stop") {
    stopped = true;
    return;
  }
  await work[data.kind](data).catch((error) =>
    tell("failed", { message: explain(error) }),
  );
};
load().catch((error) => tell("failed", { message: explain(error) }));
