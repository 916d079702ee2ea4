import numpy as np
import pytest
from keras import ops

from keras_led.attention.masks import causal_mask
from keras_led.attention.masks import token_roles


def roles(attention_mask, global_attention_mask):
    """The role of each token as a letter: `.` masked, `l` local, `g` global."""
    found = token_roles(attention_mask, global_attention_mask, (1, 4))
    real = ops.convert_to_numpy(found.padding_mask)
    wide = np.zeros_like(real)
    if found.global_mask is not None:
        wide = ops.convert_to_numpy(found.global_mask)
    assert not (wide & ~real).any()
    return ["".join(".lg"[k] for k in row) for row in real.astype(int) + wide]


@pytest.mark.parametrize(
    ("attention_mask", "global_attention_mask", "expected"),
    [
        (None, None, "llll"),
        ([1, 1, 0, 0], None, "ll.."),
        (None, [1, 0, 0, 0], "glll"),
        ([1, 1, 1, 0], [1, 0, 1, 1], "glg."),  # masked and global: masked
        ([1, 1, 1, 0], [-1, 0, 2, -1], ".lg."),
        ([2, 1, 0, 2], None, "gl.g"),
        ([2, 2, 1, 1], [0, -1, 0, 0], "g.ll"),
        ([0.5, 1.0, 1.5, 0.0], None, ".lg."),
        ([True, False, True, True], [True, True, False, False], "g.ll"),
    ],
)
def test_role_of_each_token(attention_mask, global_attention_mask, expected):
    masks = [
        None if mask is None else np.array([mask])
        for mask in (attention_mask, global_attention_mask)
    ]
    assert roles(*masks) == [expected]


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "bool"])
def test_dtype_of_the_masks_does_not_matter(dtype):
    mask = np.array([[1, 1, 1, 0], [0, 1, 1, 1]], dtype)
    wide = np.array([[1, 0, 0, 1], [1, 0, 1, 0]], dtype)
    assert roles(mask, wide) == ["gll.", ".lgl"]


def test_causal_mask_with_a_cache():
    mask = ops.convert_to_numpy(causal_mask(2, 5, offset=2))
    assert ["".join(".#"[int(x)] for x in row) for row in mask] == [
        "###..",
        "####.",
    ]
