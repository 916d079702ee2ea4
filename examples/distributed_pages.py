"""What the examples for several devices share: pages, a model, its losses."""

import json
from pathlib import Path

import keras
from small_model import make_parser
from small_model import take

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led.data import Seq2SeqDataset

PAGES = Path(__file__).parent / "data" / "train.jsonl"
MAX_SOURCE_TOKENS = 512
MAX_TARGET_TOKENS = 48


def make_pages_parser(doc):
    """The options of `small_model.py`; a batch is that of all devices."""
    return make_parser(doc, epochs=1, batch_size=8)


def prepare(chosen):
    """Reads the pages and chooses the sizes of the model.

    Args:
        chosen: the options.

    Returns:
        Tuple of `LEDConfig` and a `Seq2SeqDataset` of whole batches.
    """
    lines = PAGES.read_text(encoding="utf-8").splitlines()
    pages = take([json.loads(line) for line in lines], chosen.rows)
    if chosen.model:
        tokenizer = LEDTokenizer.from_pretrained(chosen.model)
        config = LEDConfig.from_pretrained(chosen.model)
    else:
        texts = [page["document"] + page["summary"] for page in pages]
        tokenizer = LEDTokenizer.train(texts, 2048)
        config = LEDConfig(
            vocab_size=len(tokenizer),
            d_model=128,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=256,
            decoder_ffn_dim=256,
            attention_window=128,
            max_encoder_position_embeddings=MAX_SOURCE_TOKENS,
            max_decoder_position_embeddings=128,
            init_std=0.08,
        )
    longest = min(MAX_SOURCE_TOKENS, config.max_encoder_position_embeddings)
    dataset = Seq2SeqDataset(
        pages,
        tokenizer,
        batch_size=chosen.batch_size,
        max_source_tokens=longest,
        max_target_tokens=MAX_TARGET_TOKENS,
        buckets=[longest],
    )
    return config, dataset


def make_model(chosen, config, model_class=LEDForConditionalGeneration):
    """A fresh model, or a checkpoint, ready for `fit`."""
    if chosen.model:
        model = model_class.from_pretrained(chosen.model)
    else:
        model = model_class(config)
    model.compile(optimizer=keras.optimizers.AdamW(chosen.learning_rate))
    return model


class PrintLoss(keras.callbacks.Callback):
    """Prints after each step the mean loss of the epoch so far."""

    def on_train_batch_end(self, batch, logs=None):
        print(f"step {batch}: loss {logs['loss']:.6f}", flush=True)
