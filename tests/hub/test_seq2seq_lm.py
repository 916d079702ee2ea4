import json

import keras
import keras_hub
import numpy as np
import pytest

from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led import backend
from keras_led.data import Seq2SeqDataset
from keras_led.hub import LEDBackbone
from keras_led.hub import LEDSampler
from keras_led.hub import LEDSeq2SeqLM
from tests import peer
from tests.hub.conftest import DOCUMENTS
from tests.hub.conftest import TARGETS
from tests.hub.conftest import assert_equal_weights
from tests.hub.conftest import values


def fresh(folder, **options):
    lm = LEDSeq2SeqLM.from_preset(folder, **options)
    lm.preprocessor.decoder_sequence_length = 12
    return lm


def logits_of(model, inputs):
    global_mask = np.zeros_like(inputs["encoder_token_ids"])
    global_mask[:, 0] = 1
    output = model(
        input_ids=inputs["encoder_token_ids"],
        attention_mask=inputs["encoder_padding_mask"],
        global_attention_mask=global_mask,
        decoder_input_ids=inputs["decoder_token_ids"],
        decoder_attention_mask=inputs["decoder_padding_mask"],
    )
    return peer.to_numpy(output.logits)


def test_logits_are_those_of_the_model(lm, model):
    inputs, *_ = lm.preprocessor((DOCUMENTS, TARGETS))
    found = peer.to_numpy(lm(inputs))
    np.testing.assert_allclose(found, logits_of(model, inputs), atol=1e-6)
    predicted = lm.predict((DOCUMENTS, TARGETS), batch_size=5, verbose=0)
    np.testing.assert_allclose(predicted, found, atol=1e-5)


def test_texts_are_those_of_summarize(lm, model, tokenizer):
    expected = model.summarize(DOCUMENTS, tokenizer=tokenizer)
    assert len(set(expected)) > 1
    assert lm.generate(DOCUMENTS) == expected
    assert lm.generate(DOCUMENTS[0]) == expected[0]
    assert lm.generate({"encoder_text": DOCUMENTS[1]}) == expected[1]


def test_a_dataset_is_written_about_batch_by_batch(lm):
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices(DOCUMENTS).batch(2)
    assert lm.generate(data) == lm.generate(DOCUMENTS)


def test_a_dataset_of_single_texts_is_refused(lm):
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices(DOCUMENTS)
    with pytest.raises(ValueError, match="of batches.* Call its `batch` first"):
        lm.generate(data)


def test_one_document_is_one_output(lm):
    text = lm.generate(DOCUMENTS[0])
    given = {"encoder_text": np.array(DOCUMENTS[0])}
    assert lm.generate(given) == lm.generate(given["encoder_text"]) == text
    inputs = lm.preprocessor.generate_preprocess(DOCUMENTS[0])
    preprocessor, lm.preprocessor = lm.preprocessor, None
    try:
        row = lm.generate(inputs)
    finally:
        lm.preprocessor = preprocessor
    assert row["decoder_token_ids"].ndim == 1
    assert preprocessor.generate_postprocess(row) == text


def test_one_stop_token_or_an_array_of_them(lm):
    eos = lm.backbone.led.config.eos_token_id
    expected = lm.generate(DOCUMENTS[0], max_length=9)
    for stop in (eos, np.array([eos]), (eos,)):
        found = lm.generate(DOCUMENTS[0], max_length=9, stop_token_ids=stop)
        assert found == expected


def test_a_sampler_says_how_long_an_output_may_be(lm):
    width = lm.preprocessor.decoder_sequence_length
    prompt = {"encoder_text": DOCUMENTS[0], "decoder_text": "a list"}
    lm.preprocessor.decoder_sequence_length = 4  # too short for the prompt
    try:
        lm.compile(sampler=LEDSampler(max_new_tokens=3))
        assert lm.generate(prompt).startswith("a list")
    finally:
        lm.compile()
        lm.preprocessor.decoder_sequence_length = width


def test_prompts_begin_the_outputs(lm):
    prompts = {"encoder_text": DOCUMENTS[:2], "decoder_text": ["a list", ""]}
    whole = lm.generate(prompts, max_length=12)
    assert whole[0].startswith("a list")
    assert whole[1] == lm.generate(DOCUMENTS[1], max_length=12)
    rest = lm.generate(prompts, max_length=12, strip_prompt=True)
    assert whole[0] == f"a list{rest[0]}" or whole[0].endswith(rest[0])
    assert not rest[0].startswith("a list")


def test_max_length_counts_the_start_token(lm):
    inputs = lm.preprocessor.generate_preprocess(DOCUMENTS[:2])
    preprocessor, lm.preprocessor = lm.preprocessor, None
    try:
        output = lm.generate(inputs, max_length=7, stop_token_ids=None)
        ended = lm.generate(inputs, max_length=7, stop_token_ids=range(9, 200))
    finally:
        lm.preprocessor = preprocessor
    assert output["decoder_token_ids"].shape == (2, 7)
    assert output["decoder_padding_mask"].sum() == 14
    assert ended["decoder_padding_mask"].sum(axis=1).min() < 7


def test_batches_of_ids_are_joined(lm):
    tf = pytest.importorskip("tensorflow")
    inputs = lm.preprocessor.generate_preprocess(DOCUMENTS[:3])
    data = tf.data.Dataset.from_tensor_slices(inputs).batch(2)
    preprocessor, lm.preprocessor = lm.preprocessor, None
    try:
        found = lm.generate(data)
        expected = lm.generate(inputs)
    finally:
        lm.preprocessor = preprocessor
    for name in ("decoder_token_ids", "decoder_padding_mask"):
        np.testing.assert_array_equal(found[name], expected[name])


def test_a_preset_brings_back_model_texts_and_settings(lm, tmp_path):
    lm.save_to_preset(tmp_path)
    for cls in (LEDSeq2SeqLM, keras_hub.models.Seq2SeqLM):
        again = cls.from_preset(str(tmp_path))
        assert type(again) is LEDSeq2SeqLM
        assert_equal_weights(again, lm)
        assert again.generation_config == lm.generation_config
        assert again.backbone.led.config == lm.backbone.led.config
    assert again.generate(DOCUMENTS[:2]) == lm.generate(DOCUMENTS[:2])
    tasks = json.loads((tmp_path / "metadata.json").read_text("utf-8"))
    assert tasks["tasks"] == ["Seq2SeqLM"]


@pytest.mark.parametrize("kind", ["bin", "h5"])
def test_every_kind_of_weight_file_is_read(kind, folder, model, tmp_path):
    if kind == "bin":
        torch = pytest.importorskip("torch")
        from safetensors.torch import load_file

        state = load_file(folder / "model.safetensors")
        torch.save(state, tmp_path / "pytorch_model.bin")
    else:
        from keras_led.checkpoints.tensorflow_saving import (
            save_tensorflow_weights,
        )

        save_tensorflow_weights(model, tmp_path)
    for path in folder.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "merges.txt").write_bytes((folder / "merges.txt").read_bytes())
    assert_equal_weights(LEDSeq2SeqLM.from_preset(tmp_path), model)


def test_transformers_reads_what_is_exported(lm, model, tmp_path):
    lm.export_to_transformers(tmp_path / "led")
    again = LEDForConditionalGeneration.from_pretrained(tmp_path / "led")
    assert_equal_weights(again, model)
    assert again.generation_config == model.generation_config
    tokenizer = LEDTokenizer.from_pretrained(tmp_path / "led")
    assert len(tokenizer) == model.config.vocab_size


def test_a_keras_file_brings_back_the_task(folder, tmp_path):
    lm = fresh(folder)
    lm.compile(optimizer="sgd", sampler=LEDSampler(num_beams=2))
    lm.save(tmp_path / "lm.keras")
    again = keras.saving.load_model(tmp_path / "lm.keras")
    assert_equal_weights(again, lm)
    assert again.sampler.get_config() == lm.sampler.get_config()
    assert again.preprocessor((["a"], ["b"]))[1].shape == (1, 12)


def test_a_fit_on_texts_is_that_on_a_dataset_of_ours(
    folder, tokenizer, monkeypatch
):
    fast, at_once = [], backend.updated_at_once
    monkeypatch.setattr(
        backend, "updated_at_once", lambda x: fast.append(x) or at_once(x)
    )
    lm = fresh(folder)
    model = LEDForConditionalGeneration.from_pretrained(folder)
    for one in (model, lm.backbone.led):
        for layer in one._flatten_layers():
            if hasattr(layer, "seed_generator"):
                layer.seed_generator = None  # no dropout
    pairs = list(zip(DOCUMENTS[:4], TARGETS[:4], strict=True))
    data = Seq2SeqDataset(
        pairs,
        tokenizer,
        batch_size=2,
        max_source_tokens=96,
        max_target_tokens=12,
        buckets=[96],
        shuffle=False,
    )
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    lm.compile(optimizer=keras.optimizers.Adam(1e-3))
    expected = model.fit(data, epochs=10, shuffle=False, verbose=0)
    found = lm.fit(
        (DOCUMENTS[:4], TARGETS[:4]), batch_size=2, epochs=10, verbose=0
    )
    # Twenty steps: the mean over the batches of each epoch.
    np.testing.assert_allclose(
        found.history["loss"], expected.history["loss"], rtol=1e-5
    )
    assert found.history["loss"][-1] < found.history["loss"][0]
    assert set(fast) == {model.optimizer, lm.optimizer}


def test_every_form_of_data_trains_and_is_scored(folder):
    tf = pytest.importorskip("tensorflow")
    lm = fresh(folder)
    lm.compile(optimizer=keras.optimizers.SGD(0.0))
    pairs = (DOCUMENTS, TARGETS)
    data = tf.data.Dataset.from_tensor_slices(pairs).batch(5)
    # A rate of 0, and dropout in training alone: all evaluate to one loss.
    expected, accuracy = lm.evaluate(pairs, batch_size=5, verbose=0)
    assert 0 <= accuracy <= 1
    assert lm.evaluate(data, verbose=0)[0] == pytest.approx(expected, rel=1e-5)
    assert lm.test_on_batch(*pairs)[0] == pytest.approx(expected, rel=1e-5)
    weighted = tf.data.Dataset.from_tensor_slices((*pairs, np.full(5, 2.0)))
    lm.evaluate(weighted.batch(5), verbose=0)  # float64, as numpy has them
    history = lm.fit(data, validation_data=pairs, verbose=0).history
    assert history["val_loss"][0] == pytest.approx(expected, rel=1e-5)
    losses = peer.to_numpy(lm.score(pairs, "loss"))
    *_, weights = lm.preprocessor(pairs)
    assert losses.sum() / weights.sum() == pytest.approx(expected, rel=1e-4)
    assert tuple(lm.score(pairs).shape)[:2] == (5, 12)


def test_adapters_train_alone_and_come_back(folder, tmp_path):
    lm = fresh(folder)
    lm.backbone.enable_lora(2)
    names = {variable.path.split("/")[-1] for variable in lm.trainable_weights}
    assert {name.rpartition("_")[0] for name in names} == {"lora_kernel"}
    count = len(lm.trainable_weights)
    # Queries and values: 4 + 2 in each encoder layer, 4 in the decoder's.
    assert count == 2 * (2 * 4 + 4)
    for variable in lm.trainable_weights:
        variable.assign(np.full(variable.shape, 0.05, "float32"))
    lm.save_to_preset(tmp_path / "preset")
    again = LEDSeq2SeqLM.from_preset(tmp_path / "preset")
    assert_equal_weights(again, lm)
    assert len(again.trainable_weights) == count
    lm.backbone.save_lora_weights(tmp_path / "weights.lora.h5")
    other = fresh(folder)
    other.backbone.load_lora_weights(tmp_path / "weights.lora.h5")
    assert_equal_weights(other, lm)
    with pytest.raises(ValueError, match="`target_layer_names`.*'quer'"):
        fresh(folder).backbone.enable_lora(2, ["quer"])


# Keras' own quantized table, on PyTorch.
@pytest.mark.filterwarnings("ignore:The use of `x.T`:UserWarning")
@pytest.mark.parametrize("called", [False, True])
def test_int8_before_and_after_the_first_call(called, folder, tmp_path):
    lm = fresh(folder)
    inputs, *_ = lm.preprocessor((DOCUMENTS[:2], TARGETS[:2]))
    plain = peer.to_numpy(lm(inputs)) if called else None
    lm.quantize("int8")
    found = peer.to_numpy(lm(inputs))
    if called:
        assert np.abs(found - plain).max() < 0.5
        assert (found != plain).any()
    dtypes = {str(w.dtype) for w in lm.weights}
    assert "int8" in dtypes
    lm.save_to_preset(tmp_path)
    again = LEDSeq2SeqLM.from_preset(tmp_path)
    for one, other in zip(
        values(again.weights), values(lm.weights), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(peer.to_numpy(again(inputs)), found, atol=1e-5)
    assert again.generate("a list", max_length=6) == lm.generate(
        "a list", max_length=6
    )


def test_a_row_longer_than_the_table_is_refused(folder):
    lm = fresh(folder)
    lm.preprocessor.encoder_sequence_length = 97
    with pytest.raises(
        ValueError, match="`encoder_sequence_length`.*at most 96.*=97"
    ):
        lm.generate("a")
    with pytest.raises(ValueError, match="`encoder_sequence_length`"):
        lm.score((["a"], ["b"]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda lm: lm.score((["a"], ["b"]), "losses"), "`scoring_mode`"),
        (
            lambda lm: lm.score(lm.preprocessor((["a"], ["b"]))[0], "loss"),
            "`target_ids`",
        ),
        (lambda lm: lm.generate("a", max_length=500), "`max_length`"),
        (lambda lm: lm.generate("a", stop_token_ids="eos"), "`stop_token_ids`"),
        (lambda lm: lm.generate("a", stop_token_ids=[0.5]), "`stop_token_ids`"),
    ],
)
def test_bad_arguments_are_named(lm, call, words):
    with pytest.raises(ValueError, match=words):
        call(lm)


def test_a_document_that_is_cut_is_told_of(lm, model, tokenizer):
    long = "lmap evaluates a script for each element of a list. " * 30
    with pytest.warns(UserWarning, match="Document 1 is too long.*96 tokens"):
        found = lm.generate(["a", long])
    with pytest.warns(UserWarning):
        assert found[1] == model.summarize(long, tokenizer=tokenizer)


def test_another_backbone_is_refused(model):
    with pytest.raises(TypeError, match="`backbone`.*from_led"):
        LEDSeq2SeqLM(model)
    lm = LEDSeq2SeqLM(LEDBackbone.from_led(model), compile=False)
    assert lm.backbone.led is model
