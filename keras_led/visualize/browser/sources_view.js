// Colors a document by what each word of its summary was written from.

const CONTEXT = 60; // characters shown around the strongest token

export class SourcesView {
  // Elements: the summary, with one button a word; the document, with one
  // <span data-token="INDEX"> a token; and the line that names a passage.
  constructor(summary, document, passage) {
    this.document = document;
    this.passage = passage;
    this.spans = [...document.querySelectorAll("span[data-token]")];
    this.rows = [];
    this.words = [];
    this.pressed = null;
    summary.addEventListener("mouseleave", () => this.paint(this.pressed));
  }

  // A button of the summary, and its share of each token of the document.
  add(word, shares) {
    const row = this.rows.length;
    const most = shares.reduce((a, b) => Math.max(a, b), 0);
    this.rows.push(most ? shares.map((share) => share / most) : shares);
    this.words.push(word);
    word.setAttribute("aria-pressed", "false");
    word.addEventListener("mouseenter", () => this.paint(row));
    word.addEventListener("focus", () => this.paint(row));
    word.addEventListener("click", () => this.press(row));
  }

  press(row) {
    this.pressed = this.pressed === row ? null : row;
    this.words.forEach((word, index) =>
      word.setAttribute("aria-pressed", String(index === this.pressed)),
    );
    this.paint(this.pressed);
    const span = this.pressed === null ? null : this.strongest(row);
    this.passage.textContent = span ? this.describe(row, span) : "";
    span?.scrollIntoView({ block: "center", behavior: "smooth" });
  }

  // Shows the sources of one row, or, for null, of the whole summary.
  paint(row) {
    const chosen = row === null ? this.rows : [this.rows[row]];
    for (const span of this.spans) {
      const token = Number(span.dataset.token);
      const share = chosen.reduce((most, r) => Math.max(most, r[token]), 0);
      span.style.setProperty("--share", share.toFixed(3));
    }
  }

  strongest(row) {
    const share = (span) => this.rows[row][Number(span.dataset.token)];
    return this.spans.reduce(
      (best, span) => (best && share(best) >= share(span) ? best : span),
      null,
    );
  }

  describe(row, span) {
    const range = new Range();
    range.setStart(this.document, 0);
    range.setEndBefore(span);
    const start = range.toString().length;
    const text = this.document.textContent;
    const end = start + span.textContent.length;
    const passage = text.slice(Math.max(0, start - CONTEXT), end + CONTEXT);
    const word = this.words[row].textContent.trim();
    return `“${word}” comes mostly from “… ${passage.trim()} …”`;
  }
}
