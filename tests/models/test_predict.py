import numpy as np
import pytest

from tests import peer
from tests.models.test_copies import IDS
from tests.models.test_copies import fresh

LABELS = {
    "LEDForConditionalGeneration": {"labels": IDS[:, :4]},
    "LEDForSequenceClassification": {"labels": np.array([1, 0], "int32")},
    "LEDForQuestionAnswering": {
        "start_positions": np.array([1, 2], "int32"),
        "end_positions": np.array([3, 2], "int32"),
    },
}


@pytest.mark.parametrize("name", LABELS)
def test_predict_reads_labels_and_returns_no_loss(name):
    model = fresh(name)
    batch = {"input_ids": IDS, **LABELS[name]}
    expected = model(batch)
    # Two batches: Keras joins their outputs row by row.
    found = model.predict(batch, batch_size=1, verbose=0)
    assert list(found) == [key for key in expected if key != "loss"]
    field = "start_logits" if "Question" in name else "logits"
    np.testing.assert_allclose(
        found[field], peer.to_numpy(expected[field]), atol=1e-5
    )
