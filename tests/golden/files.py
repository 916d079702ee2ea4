"""The layout of a golden file: one .npz without pickles.

config                         JSON text: keywords of the config
weights/<Hugging Face name>    float16; the drawn weights are exact in it
cases/<case>/inputs/<name>     an array, or JSON text for a plain value
cases/<case>/outputs/<name>    an array; tuples as <name>/0, <name>/1, …
"""

import json

import numpy as np


def write_golden(path, config, weights, cases):
    """Writes a golden file; `cases` as `read_golden` returns them."""
    arrays = {"config": np.array(json.dumps(config, sort_keys=True))}
    for name, value in weights.items():
        half = value.astype("float16")
        np.testing.assert_array_equal(half.astype("float32"), value, name)
        arrays[f"weights/{name}"] = half
    for case, parts in cases.items():
        for part, values in parts.items():
            for name, value in values.items():
                add(arrays, f"cases/{case}/{part}/{name}", value)
    np.savez_compressed(path, **arrays)


def add(arrays, key, value):
    """Adds a value, or the items of a tuple of arrays, to a flat dict."""
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            add(arrays, f"{key}/{index}", item)
    elif isinstance(value, np.ndarray):
        arrays[key] = value
    else:
        arrays[key] = np.array(json.dumps(value))


def read_golden(path):
    """Reads a golden file.

    Returns:
        A tuple: the config keywords; the float32 weights by Hugging Face
        name; the cases, a dict of case name to
        `{"inputs": {name: value}, "outputs": {name: value}}`.
    """
    weights, cases = {}, {}
    with np.load(path, allow_pickle=False) as file:
        config = json.loads(str(file["config"]))
        for key in file.files:
            kind, _, rest = key.partition("/")
            if kind == "weights":
                weights[rest] = file[key].astype("float32")
            elif kind == "cases":
                value = file[key]
                if value.dtype.kind == "U":
                    value = json.loads(str(value))
                put(cases, rest.split("/"), value)
    return config, weights, to_tuples(cases)


def put(tree, place, value):
    """Stores a value in nested dicts under a path of keys."""
    for key in place[:-1]:
        tree = tree.setdefault(key, {})
    tree[place[-1]] = value


def to_tuples(tree):
    """Turns nested dicts with the keys "0", "1", … into tuples."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdigit() for key in tree):
        return tuple(to_tuples(tree[str(index)]) for index in range(len(tree)))
    return {key: to_tuples(value) for key, value in tree.items()}
