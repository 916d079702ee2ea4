"""PyTorch has two libraries for products: tests run with either."""

import pytest

from keras_led import backend

LIBRARIES = ("oneDNN", "MKL") if backend.name == "torch" else ("its own",)


@pytest.fixture(params=LIBRARIES)
def library(request, monkeypatch):
    """Runs a test with either library of PyTorch, on any processor."""
    if backend.name == "torch":
        from keras_led.backend.torch import onednn

        chosen = request.param == "oneDNN"
        if chosen and not onednn.is_available():
            pytest.skip("this build of PyTorch has no oneDNN")
        monkeypatch.setattr(onednn, "is_faster", lambda: chosen)
    return request.param
