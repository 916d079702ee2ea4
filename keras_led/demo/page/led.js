// Greedy search over `encoder_model.onnx` and `decoder_model_merged.onnx`.

import * as ort from "./runtime/ort.wasm.bundle.min.mjs";
import { applyRules } from "./rules.js";

ort.env.wasm.wasmPaths = {
  wasm: new URL("runtime/ort-wasm-simd-threaded.wasm", import.meta.url).href,
};

const int64 = (values, dims) =>
  new ort.Tensor("int64", BigInt64Array.from(values, BigInt), dims);

export class LED {
  // `files`: bytes by name. `settings`: the content of `demo.json`.
  static async load(files, settings) {
    const led = new LED();
    led.settings = settings;
    [led.encoder, led.decoder] = await Promise.all(
      [settings.encoder, settings.decoder].map((name) =>
        ort.InferenceSession.create(files[name], { logSeverityLevel: 3 }),
      ),
    );
    if (!led.decoder.outputNames.includes("cross_attentions.0")) {
      throw new Error(
        "This model does not say what it looks at. Write its files with " +
          "`keras-led export --format onnx`.",
      );
    }
    return led;
  }

  // Yields each new token, `id`, and what the decoder looked at, `shares`:
  // the mean of heads and layers, for each token of the document.
  async *generate(ids) {
    const { start_token_ids, max_length, eos_token_ids, rules } = this.settings;
    const dims = [1, ids.length];
    const mask = int64(ids.map(() => 1), dims);
    const { last_hidden_state: hidden } = await this.encoder.run({
      input_ids: int64(ids, dims),
      attention_mask: mask,
      // `global_attention_mask` is the first token's by default.
    });
    const tokens = [...start_token_ids];
    let past = null;
    let next = tokens;
    while (tokens.length < max_length) {
      const found = await this.#step(next, hidden, mask, past);
      const { scores, shares } = found;
      past = found.past;
      applyRules(rules, scores, tokens, ids);
      const id = best(scores);
      tokens.push(id);
      next = [id];
      yield { id, shares };
      if (eos_token_ids.includes(id)) return;
    }
  }

  async #step(ids, hidden, mask, past) {
    const { layers, heads, head_dim, d_model } = this.settings;
    const empty = new ort.Tensor("float32", [], [0, heads, 0, head_dim]);
    const nothing = new ort.Tensor("float32", [], [0, 0, d_model]);
    const feeds = {
      use_cache_branch: new ort.Tensor("bool", [past !== null], [1]),
      input_ids: int64(ids, [1, ids.length]),
      encoder_attention_mask: mask,
      encoder_hidden_states: past === null ? hidden : nothing,
    };
    for (const name of pastNames(layers)) feeds[name] = past?.[name] ?? empty;
    const outputs = await this.decoder.run(feeds);
    const kept = {};
    for (const name of pastNames(layers)) {
      // Keys and values of the document are the same in all steps.
      const document = past !== null && name.includes(".encoder.");
      const present = name.replace("past_key_values", "present");
      kept[name] = document ? past[name] : outputs[present];
    }
    const vocabulary = outputs.logits.dims[2];
    return {
      scores: outputs.logits.data.slice(-vocabulary),
      shares: meanShares(outputs, layers),
      past: kept,
    };
  }
}

function* pastNames(layers) {
  for (let layer = 0; layer < layers; layer++)
    for (const kind of ["decoder", "encoder"])
      for (const part of ["key", "value"])
        yield `past_key_values.${layer}.${kind}.${part}`;
}

// The last query's weights, mean of heads and layers: `cross_attentions.N`
// are of the shape (1, heads, queries, keys).
function meanShares(outputs, layers) {
  let sum = null;
  for (let layer = 0; layer < layers; layer++) {
    const { data, dims } = outputs[`cross_attentions.${layer}`];
    const [, heads, queries, keys] = dims;
    sum ??= new Array(keys).fill(0);
    for (let head = 0; head < heads; head++) {
      const first = (head * queries + queries - 1) * keys;
      for (let key = 0; key < keys; key++) sum[key] += data[first + key];
    }
  }
  return sum;
}

function best(scores) {
  let found = -1;
  for (let id = 0; id < scores.length; id++) {
    if (found < 0 ? !Number.isNaN(scores[id]) : scores[id] > scores[found]) {
      found = id;
    }
  }
  if (found < 0) throw new Error("The model's scores are not numbers.");
  return found;
}
