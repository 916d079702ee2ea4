// From a text to token ids and the places of tokens in it, and back.

// Token ids and tokens of a text, cut to what the model reads; special tokens
// stay.
export function readDocument(tokenizer, text, settings) {
  const { limit, longest_token } = settings;
  const left = settings.truncation_side === "left";
  // More text than this cannot matter, and would take its time.
  const enough = 2 * limit * longest_token;
  const part = left ? text.slice(-enough) : text.slice(0, enough);
  const { ids, tokens } = tokenizer.encode(part);
  if (ids.length <= limit) return { ids, tokens, isCut: false };
  const cut = (list) =>
    left
      ? [list[0], ...list.slice(1 - limit)]
      : [...list.slice(0, limit - 1), list.at(-1)];
  return { ids: cut(ids), tokens: cut(tokens), isCut: true };
}

// What the page says of a text that was cut, in the words of `summarize`.
export function describeCut(text, spans, { limit, truncation_side }) {
  const shown = spans.filter(([start, end]) => end > start);
  const left = truncation_side === "left";
  const cut = left ? shown[0][0] : text.length - shown.at(-1)[1];
  const percent = Math.round((100 * cut) / text.length);
  return (
    `The document is too long: the model reads ${limit} tokens. The ` +
    `${left ? "first" : "last"} ${cut} of ${text.length} characters ` +
    `(${percent} %) were cut off.`
  );
}

// Characters [start, end) of each token; [0, 0] for those without text.
export function tokenSpans(text, tokens, settings) {
  const special = new Set(settings.special_tokens);
  const added = new Set(settings.added_tokens);
  const starts = byteStarts(text); // character of each byte
  const bytes = starts.length - 1;
  const cutLeft = settings.truncation_side === "left";
  const length = (token) => [...token].length; // a character a byte
  let at = 0;
  if (settings.add_prefix_space && !/^\s/.test(text)) at = -1;
  if (cutLeft) {
    const read = tokens
      .filter((token) => !special.has(token))
      .reduce((sum, token) => sum + length(token), 0);
    at = Math.max(at, bytes - read);
  }
  return tokens.map((token, index) => {
    const edge = index === 0 || index === tokens.length - 1;
    if (special.has(token) && edge) return [0, 0];
    if (added.has(token)) {
      const start = text.indexOf(token, starts[Math.max(0, at)]);
      if (start < 0) return [0, 0];
      at = starts.indexOf(start + token.length);
      return [start, start + token.length];
    }
    const first = Math.max(0, at);
    at = Math.min(bytes, at + length(token));
    let start = starts[first];
    // A token may end inside a character: all of it is shown.
    let last = at;
    while (last < bytes && starts[last] === starts[last - 1]) last++;
    const end = starts[last];
    while (start < end && /\s/.test(text[start])) start++;
    return [start, end];
  });
}

// The index of the character that each byte of the UTF-8 text belongs to, and
// the text's length behind them.
function byteStarts(text) {
  const starts = [];
  let index = 0;
  for (const character of text) {
    const code = character.codePointAt(0);
    const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (let i = 0; i < bytes; i++) starts.push(index);
    index += character.length;
  }
  starts.push(index);
  return starts;
}

// The text of the tokens so far, in pieces of whole characters.
export class TextPieces {
  constructor(tokenizer, settings, special) {
    this.tokenizer = tokenizer;
    this.options = {
      skip_special_tokens: false,
      clean_up_tokenization_spaces: settings.clean_up,
    };
    this.special = special;
    this.ids = [];
    this.text = "";
    this.shown = 0;
    this.waiting = []; // shares of tokens that end inside a character
  }

  // A new token and its shares: `piece` is "" while a character is open.
  add(id, shares) {
    if (!this.special.has(id)) {
      this.ids.push(id);
      this.waiting.push(shares);
    }
    this.text = this.ids.length
      ? this.tokenizer.decode(this.ids, this.options)
      : "";
    return this.text.endsWith("\ufffd") ? { piece: "" } : this.rest();
  }

  // What was not given yet, at the end a character that stays open, too.
  rest() {
    const piece = this.text.slice(this.shown);
    if (!piece) return { piece };
    const [first, ...others] = this.waiting;
    const shares = first.map((share, token) =>
      others.reduce((sum, row) => sum + row[token], share),
    );
    this.shown = this.text.length;
    this.waiting = [];
    return { piece, shares };
  }
}
