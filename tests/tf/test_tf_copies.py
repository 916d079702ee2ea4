"""Copies of TFLED models are what they are copies of."""

import numpy as np
import pytest

from tests import peer
from tests.models.test_copies import WAYS
from tests.models.test_copies import assert_same
from tests.models.test_copies import draw
from tests.models.test_copies import with_adapters
from tests.tf.models import batch
from tests.tf.models import fresh


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "name", ["TFLEDModel", "TFLEDForConditionalGeneration"]
)
def test_a_copy_computes_the_same(name, way, tmp_path):
    model = fresh(name, max_global_tokens=3)
    draw(model)
    with_adapters(model)
    model.gradient_checkpointing_enable()
    if model.can_generate():
        model.generation_config.update(num_beams=3, max_new_tokens=9)
    other = WAYS[way](model, tmp_path)
    assert_same(other, model)
    assert other.max_global_tokens == 3
    if model.can_generate():
        assert other.generation_config == model.generation_config
    found, expected = (x(**batch())[0] for x in (other, model))
    np.testing.assert_array_equal(peer.to_numpy(found), peer.to_numpy(expected))
    names = [type(x.get_encoder()).__name__ for x in (other, model)]
    assert names == ["TFLEDEncoder"] * 2


def test_a_copy_keeps_its_optimizer(tmp_path):
    model = fresh()
    model.compile(optimizer="adam", loss="auto", run_eagerly=True)
    model.fit({**batch(), "labels": peer.token_ids(2, 5, 3)}, verbose=0)
    other = WAYS[".keras"](model, tmp_path)
    assert other.loss is None  # that of the model itself
    for one, wanted in zip(
        other.optimizer.variables, model.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(one, wanted)
