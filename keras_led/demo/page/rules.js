// What changes the scores of the next token, by the names that Python has in
// `keras_led/generation/processors/`. A score of -Infinity forbids a token.

const forbid = (scores, ids) => ids.forEach((id) => (scores[id] = -Infinity));

function allowOnly(scores, ids) {
  scores.fill(-Infinity);
  ids.forEach((id) => (scores[id] = 0));
}

function forbidEnd(scores, tokens, { min_length, eos_token_ids }) {
  if (tokens.length < min_length) forbid(scores, eos_token_ids);
}

export const RULES = {
  EncoderRepetitionPenalty(scores, tokens, { penalty }, document) {
    for (const id of new Set(document)) {
      const score = scores[id];
      scores[id] = score < 0 ? score / penalty : score * penalty;
    }
  },
  RepetitionPenalty(scores, tokens, { penalty }) {
    for (const id of new Set(tokens)) {
      const score = scores[id];
      scores[id] = score < 0 ? score * penalty : score / penalty;
    }
  },
  // No n-gram twice: forbids what followed the last `size - 1` tokens before.
  NoRepeatNGram(scores, tokens, { size }) {
    const last = tokens.slice(tokens.length - size + 1);
    for (let i = 0; i + size <= tokens.length; i++) {
      if (last.every((id, j) => id === tokens[i + j])) {
        scores[tokens[i + size - 1]] = -Infinity;
      }
    }
  },
  MinLength: forbidEnd,
  MinNewTokens: forbidEnd,
  ForcedBOS(scores, tokens, { token_id }) {
    if (tokens.length === 1) allowOnly(scores, [token_id]);
  },
  ForcedEOS(scores, tokens, { max_length, token_ids }) {
    if (tokens.length === max_length - 1) allowOnly(scores, token_ids);
  },
  SuppressTokens(scores, tokens, { token_ids }) {
    forbid(scores, token_ids);
  },
  BeginSuppressTokens(scores, tokens, { token_ids, begin }) {
    if (tokens.length === begin) forbid(scores, token_ids);
  },
};

// `rules`: list of { rule, ...its numbers }, in order; `tokens` written so far,
// `document` read. Changes `scores`.
export function applyRules(rules, scores, tokens, document) {
  for (const { rule, ...numbers } of rules) {
    RULES[rule](scores, tokens, numbers, document);
  }
}
