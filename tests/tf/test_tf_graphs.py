"""`tf.function` and XLA, which TensorFlow's LED did not bear."""

import numpy as np
import tensorflow as tf

from tests import peer
from tests.tf.models import batch
from tests.tf.models import fresh

LENGTH = 9


def test_xla_gives_the_eager_values_for_any_global_tokens():
    model = fresh(max_global_tokens=2)
    compiled = tf.function(model, jit_compile=True, autograph=False)
    for wide in ("none", "first", "mixed", "all", "minus"):
        inputs = {k: tf.constant(v) for k, v in batch(wide).items()}
        found, expected = compiled(inputs), model(inputs)
        assert type(found) is type(expected)
        assert list(found) == list(expected)
        np.testing.assert_allclose(found[0], expected[0], atol=1e-5)


def test_attentions_of_a_graph_leave_no_global_token_out():
    model = fresh(max_global_tokens=2)
    options = {"output_attentions": True, "use_cache": False}
    compiled = tf.function(
        lambda inputs: model(inputs, **options), autograph=False
    )
    inputs = {k: tf.constant(v) for k, v in batch("all").items()}
    inputs["attention_mask"] = tf.ones((2, LENGTH), "int32")
    found, expected = compiled(inputs), model(inputs, **options)
    peer.compare(found, {k: peer.to_numpy(v) for k, v in expected.items()})
    # Fewer than there are slots: what is left is 0.
    inputs = {k: tf.constant(v) for k, v in batch("first").items()}
    found, expected = compiled(inputs), model(inputs, **options)
    wide = found.encoder_global_attentions[0]
    assert wide.shape == (2, 4, LENGTH, LENGTH)
    assert not np.any(wide[..., 1:])
    np.testing.assert_allclose(
        wide[..., :1], expected.encoder_global_attentions[0], atol=1e-5
    )


def test_low_precision_gives_finite_logits():
    inputs = batch("mixed")
    expected = fresh()
    for dtype in ("mixed_float16", "mixed_bfloat16"):
        model = fresh(dtype=dtype)
        model.set_weights(expected.get_weights())
        logits = tf.cast(model(inputs).logits, "float32")
        np.testing.assert_allclose(logits, expected(inputs).logits, atol=0.02)
