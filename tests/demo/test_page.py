"""The page, used as people use it."""

import json
import pathlib
import re

import numpy as np
import pytest

from keras_led import visualize

expect = pytest.importorskip("playwright.sync_api").expect

EXAMPLE = pathlib.Path("keras_led/demo/page/example.txt")
HELD_OUT = pathlib.Path("examples/data/held-out.txt")
STRANGE = (
    "naïve café 日本語 😀👩\u200d👧\n\n  two  spaces\tand </s> a <mask> tab"
    "\u00a0 \r\n"
)
TEXTS = (STRANGE, " leading", "it's 1,024 TOKENS'll", "x", "<s>a</s>", "\n\n\n")


@pytest.fixture(scope="module")
def address(serve, exported):
    return serve(exported, "led-tiny")


def ready(tab):
    """Waits until the page can begin: the model is loaded, or has written."""
    expect(tab.locator("#start")).to_be_enabled(timeout=60_000)


@pytest.fixture
def page(chromium, address):
    """The page with its model loaded; any error in it fails the test."""
    tab = chromium.new_page()
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(address)
    ready(tab)
    yield tab
    assert errors == []
    tab.close()


def summarize(page, text):
    page.get_by_label("Document", exact=True).fill(text)
    page.get_by_role("button", name="Summarize").click()
    ready(page)
    return page.locator("#summary").inner_text().strip()


@pytest.mark.parametrize("file", [EXAMPLE, HELD_OUT])
def test_the_summary_is_that_of_python(page, led_tiny, file):
    model, tokenizer = led_tiny
    text = file.read_text("utf-8")
    assert summarize(page, text) == model.summarize(text, tokenizer=tokenizer)
    assert page.locator("#document").text_content() == text
    assert page.locator("#notice").inner_text() == ""


def test_strange_characters(page, led_tiny):
    model, tokenizer = led_tiny
    text = STRANGE.replace("\r\n", "\n")  # as a text field has it
    assert summarize(page, text) == model.summarize(text, tokenizer=tokenizer)
    assert page.locator("#document").text_content() == text


def test_a_long_text_is_cut_and_says_so(page, led_tiny):
    model, tokenizer = led_tiny
    text = HELD_OUT.read_text("utf-8") * 4
    with pytest.warns(UserWarning, match="too long") as caught:
        expected = model.summarize(text, tokenizer=tokenizer)
    assert summarize(page, text) == expected
    said = str(caught[0].message).removeprefix("Document 0 ")
    assert page.locator("#notice").inner_text() == f"The document {said}"


def test_no_text(page):
    page.get_by_role("button", name="Summarize").click()
    assert "There is no text yet" in page.get_by_role("alert").inner_text()
    assert page.evaluate("document.activeElement.id") == "text"


def test_colors_are_the_shares_of_attention(page, led_tiny):
    model, tokenizer = led_tiny
    text = HELD_OUT.read_text("utf-8")
    summarize(page, text)
    sources = visualize.find_sources(model, text, tokenizer)
    words = page.locator("#summary button")
    assert words.all_inner_texts() == sources.tokens
    words.nth(1).click()
    found = page.evaluate(
        "[...document.querySelectorAll('#document span')].map((span) =>"
        "[+span.dataset.token, +span.style.getPropertyValue('--share')])"
    )
    tokens, shares = np.array(found).T
    expected = sources.weights[1] / sources.weights[1].max()
    # 0.0005 is how the page rounds.
    np.testing.assert_allclose(
        shares, expected[tokens.astype("int64")], atol=1e-3
    )
    assert words.nth(1).get_attribute("aria-pressed") == "true"
    best = int(np.argmax(sources.weights[1]))
    start, end = sources.offsets[best]
    assert text[start:end].strip() in page.locator("#passage").inner_text()


def test_tokens_are_those_of_python(page, led_tiny):
    _, tokenizer = led_tiny
    texts = [*TEXTS, HELD_OUT.read_text("utf-8")]
    found = page.evaluate(
        """async (texts) => {
          const { Tokenizer } = await import("/runtime/tokenizers.min.mjs");
          const { tokenSpans } = await import("/texts.js");
          const read = async (name) => (await fetch(`/model/${name}`)).json();
          const tokenizer = new Tokenizer(
            await read("tokenizer.json"), await read("tokenizer_config.json"));
          const settings = await read("demo.json");
          return texts.map((text) => {
            const { ids, tokens } = tokenizer.encode(text);
            const spans = tokenSpans(text, tokens, settings);
            return { ids, spans, text: tokenizer.decode(ids) };
          });
        }""",
        texts,
    )
    for text, answer in zip(texts, found, strict=True):
        encoding = tokenizer(text, return_offsets_mapping=True)
        assert answer["ids"] == list(encoding["input_ids"])
        # Characters of JavaScript are UTF-16 units.
        units = text.encode("utf-16-le")
        for (start, end), (first, last) in zip(
            answer["spans"], encoding["offset_mapping"], strict=True
        ):
            shown = units[2 * start : 2 * end].decode("utf-16-le")
            assert shown.strip() == text[first:last].strip()


def test_files_can_be_opened(page, tmp_path):
    good, bad = tmp_path / "good.txt", tmp_path / "bad.pdf"
    good.write_bytes("\ufeffA text, naïvely.".encode())
    bad.write_bytes(b"%PDF-1.7 \xff\xfe\x00")
    page.set_input_files("#file", good)
    field = page.get_by_label("Document", exact=True)
    expect(field).to_have_value("A text, naïvely.")
    page.set_input_files("#file", bad)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("bad.pdf is not a UTF-8 text file")
    assert field.input_value() == "A text, naïvely."


def test_writing_can_be_stopped(page):
    text = HELD_OUT.read_text("utf-8")
    page.get_by_label("Document", exact=True).fill(text)
    page.evaluate(
        """() => {
          const summary = document.getElementById("summary");
          new MutationObserver(() => document.getElementById("stop").click())
            .observe(summary, { childList: true });
        }"""
    )
    page.get_by_role("button", name="Summarize").click()
    expect(page.locator("#status")).to_contain_text("Stopped", timeout=60_000)
    assert 1 <= page.locator("#summary button").count() <= 4
    assert page.get_by_role("button", name="Summarize").is_enabled()


def test_nothing_leaves_the_machine(chromium, address):
    context = chromium.new_context()
    tab = context.new_page()
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(address)
    ready(tab)
    assert asked and all(url.startswith((address, "data:")) for url in asked)
    context.set_offline(True)
    assert summarize(tab, "The ls program lists the files of a directory.")
    context.close()


def test_a_missing_model_is_explained(chromium, address):
    tab = chromium.new_page()
    tab.route("**/encoder_model.onnx", lambda route: route.fulfill(status=404))
    tab.goto(address)
    alert = tab.get_by_role("alert")
    expect(alert).to_contain_text("encoder_model.onnx could not be loaded")
    expect(alert).to_contain_text("404")
    tab.close()


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_screen(page, width):
    page.set_viewport_size({"width": width, "height": 700})
    summarize(page, "x" * 200 + " The ls program lists files. " * 5)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_rule_of_the_page(chromium, serve, tmp_path):
    """A random model whose text each of the rules changes."""
    from keras_led import serving
    from keras_led.demo.page_settings import RULES
    from tests.serving.conftest import tiny_model

    model, tokenizer = tiny_model()
    model.generation_config.update(
        num_beams=3,
        encoder_no_repeat_ngram_size=0,
        encoder_repetition_penalty=1.2,
        repetition_penalty=1.3,
        no_repeat_ngram_size=2,
        min_length=5,
        min_new_tokens=6,
        forced_bos_token_id=9,
        forced_eos_token_id=2,
        suppress_tokens=[40, 41],
        begin_suppress_tokens=[50],
        max_length=11,
    )
    exported = serving.export(model, tmp_path / "a", tokenizer, format="onnx")
    address = serve(exported, "random")
    tab = chromium.new_page()
    rules = tab.request.get(f"{address}model/demo.json").json()["rules"]
    assert sorted(rule["rule"] for rule in rules) == sorted(RULES)
    tab.goto(address)
    ready(tab)
    assert "keeps 3 beams" in tab.locator("#facts").inner_text()
    for text in ("The window slides over it.", "Global tokens see it all!"):
        expected = model.summarize(text, tokenizer=tokenizer, num_beams=1)
        shown = re.sub(r"\s+", " ", summarize(tab, text)).strip()
        assert shown == re.sub(r"\s+", " ", expected).strip()
    tab.close()


def test_the_policy_of_the_page_allows_its_own_files_alone():
    text = pathlib.Path("keras_led/demo/page/index.html").read_text("utf-8")
    (policy,) = re.findall(r'Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy and "*" not in policy
    lock = pathlib.Path("keras_led/demo/npm/package-lock.json")
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    assert all("integrity" in entry for path, entry in packages.items() if path)
    assert not any("resolved" in entry for entry in packages.values())
