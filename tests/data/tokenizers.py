"""A tokenizer whose tokens are bytes, and a few rows."""

from keras_led import LEDTokenizer

ROWS = [
    {"document": "alpha " * n, "summary": "beta " * (n % 5 + 1), "id": n}
    for n in (3, 40, 9, 70, 21, 5, 33, 2, 55, 12, 18)
]


def byte_tokenizer():
    """`<s>`, `<pad>`, `</s>`, `<unk>`, 256 bytes and `<mask>`."""
    return LEDTokenizer.train(["x"], 261)
