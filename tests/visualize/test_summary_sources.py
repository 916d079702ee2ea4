"""Sources of a summary, their picture, and the page for the browser."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led import visualize
from tests import peer

DOCUMENT = 'The <window> slides & stops; "naïve" tokens 😀 see it all.\n\nEnd.'


@pytest.fixture(scope="module")
def tokenizer():
    return LEDTokenizer.train([DOCUMENT * 3], 300)


@pytest.fixture(scope="module")
def model(tokenizer):
    config = LEDConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=4,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        attention_window=8,
        max_encoder_position_embeddings=80,
        max_decoder_position_embeddings=24,
        init_std=0.5,
    )
    return LEDForConditionalGeneration(config)


@pytest.fixture(scope="module")
def sources(model, tokenizer):
    return visualize.find_sources(
        model, DOCUMENT, tokenizer, summary="window tokens"
    )


def test_weights_are_those_of_the_pass_that_wrote_each_token(
    model, tokenizer, sources
):
    encoding = tokenizer([DOCUMENT], return_tensors="np")
    written = tokenizer("window tokens")["input_ids"]
    start = model.config.decoder_start_token_id
    global_mask = np.zeros_like(encoding["input_ids"])
    global_mask[:, 0] = 1
    outputs = model(
        **encoding,
        global_attention_mask=global_mask,
        decoder_input_ids=np.array([[start, *written[:-1]]]),
        output_attentions=True,
    )
    weights = np.mean(
        [peer.to_numpy(layer)[0] for layer in outputs.cross_attentions],
        axis=(0, 1),
    )
    # <s> and </s>: of the summary (rows), and of the document (columns).
    inner = weights[1:-1, 1:-1]
    inner = inner / inner.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(sources.weights[:, 1:-1], inner, atol=1e-5)
    assert not sources.weights[:, [0, -1]].any()
    assert "".join(sources.tokens) == "window tokens"


def test_layers_can_be_chosen(model, tokenizer, sources):
    parts = [
        visualize.find_sources(
            model, DOCUMENT, tokenizer, summary="window tokens", layers=[layer]
        ).weights
        for layer in (0, 1)
    ]
    assert np.abs(parts[0] - parts[1]).max() > 1e-3
    assert np.abs(parts[0] - sources.weights).max() > 1e-3


def test_own_summary_is_the_one_of_generate(model, tokenizer):
    found = visualize.find_sources(
        model, DOCUMENT, tokenizer, max_new_tokens=5, num_beams=2
    )
    (summary,) = model.summarize(
        [DOCUMENT], tokenizer=tokenizer, max_new_tokens=5, num_beams=2
    )
    assert "".join(found.tokens).strip() == summary
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=1e-5)


def test_offsets_point_into_the_document(tokenizer, sources):
    ids = tokenizer(DOCUMENT)["input_ids"]
    for token, (start, stop) in zip(ids, sources.offsets, strict=True):
        text = tokenizer.decode([token])
        if stop > start and "\ufffd" not in text:
            assert DOCUMENT[start:stop] == text.lstrip(" ") or (
                DOCUMENT[start:stop] == text
            )


@pytest.mark.parametrize("document", ["", " \n"])
def test_empty_document_is_refused(model, tokenizer, document):
    with pytest.raises(ValueError, match="must hold some text"):
        visualize.find_sources(model, document, tokenizer)


def test_document_must_be_a_str(model, tokenizer):
    with pytest.raises(TypeError, match="list"):
        visualize.find_sources(model, [DOCUMENT], tokenizer)


def test_the_picture_pools_the_document(sources):
    ax = visualize.plot_sources(sources, bins=10)
    drawn = ax.images[0].get_array()
    assert drawn.shape == (len(sources.tokens), 10)
    np.testing.assert_allclose(drawn.sum(axis=1), 1, atol=1e-5)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == sources.tokens


class Page(HTMLParser):
    """Collects the texts of the page by the element that holds them."""

    def __init__(self, text):
        super().__init__()
        self.place, self.texts, self.spans = None, {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.place = found.get("id", self.place)
        if tag == "span":
            self.spans.append(int(found["data-token"]))

    def handle_endtag(self, tag):
        if tag in ("div", "main"):
            self.place = None

    def handle_data(self, data):
        self.texts[self.place] = self.texts.get(self.place, "") + data


def test_the_page_holds_document_summary_and_weights(sources, tmp_path):
    path = tmp_path / "page.html"
    visualize.write_page(path, sources, title="A & B")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.texts["document"] == DOCUMENT
    assert page.texts["summary"] == "".join(sources.tokens)
    assert "<title>A &amp; B</title>" in text
    assert not re.search(r"(src|href)=", text)  # nothing is fetched
    rows, columns = sources.weights.shape
    assert f"const rows = {rows}, columns = {columns};" in text
    weights = base64.b64decode(re.search(r'atob\("(.*?)"\)', text)[1])
    weights = np.frombuffer(weights, "uint8").reshape(rows, columns)
    peaks = sources.weights.max(axis=1, keepdims=True)
    np.testing.assert_allclose(
        weights / 255, sources.weights / peaks, atol=0.5 / 255 + 1e-6
    )
    assert set(page.spans) <= set(range(columns))
    assert 0 not in page.spans  # <s> has no text
