"""Thirty steps beside PyTorch LED: the same losses, the same weights."""

import keras
import numpy as np
from safetensors.numpy import load_file

from tests import peer

STEPS, RATE, BATCH, LENGTH, TARGETS = 30, 0.05, 2, 19, 6


def batch_of(step):
    labels = peer.token_ids(BATCH, TARGETS, seed=200 + step % 3)
    labels[0, 4:] = peer.IGNORED
    inputs = {
        "input_ids": peer.token_ids(BATCH, LENGTH, seed=100 + step % 3),
        "attention_mask": peer.padding_mask("right", BATCH, LENGTH),
        "global_attention_mask": peer.global_mask("mixed", BATCH, LENGTH),
    }
    return inputs, labels


def curve_of_the_peer(model):
    import torch

    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    model.train()
    losses = []
    for step in range(STEPS):
        inputs, labels = batch_of(step)
        loss = model(**peer.to_torch({**inputs, "labels": labels})).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_thirty_steps_are_those_of_the_peer(tmp_path):
    other = peer.build(
        "LEDForConditionalGeneration",
        seed=3,
        dropout=0.0,
        attention_dropout=0.0,
    )
    ours = peer.load_ours(other, tmp_path / "start")
    ours.compile(keras.optimizers.SGD(RATE))
    found = [float(ours.train_on_batch(*batch_of(i))) for i in range(STEPS)]
    expected = curve_of_the_peer(other)
    assert np.mean(expected[-3:]) < 0.5 * np.mean(expected[:3])
    np.testing.assert_allclose(found, expected, atol=1e-3)
    ours.save_pretrained(tmp_path / "end")
    values = load_file(tmp_path / "end" / "model.safetensors")
    for name, weight in other.named_parameters():
        np.testing.assert_allclose(
            values[name],
            weight.detach().numpy(),
            atol=1e-3,
            err_msg=name,
        )
