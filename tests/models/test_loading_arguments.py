"""Keywords of Hugging Face's `from_pretrained`."""

import json

import keras
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDModel
from tests import peer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("led")
    config = LEDConfig(
        **{**peer.TINY, "encoder_layers": 1, "decoder_layers": 1}
    )
    LEDForConditionalGeneration(config).save_pretrained(path)
    return path


def test_what_happens_anyway_may_be_asked_for(folder):
    model = LEDForConditionalGeneration.from_pretrained(
        folder,
        attn_implementation="sdpa",
        device_map="auto",
        low_cpu_mem_usage=True,
        trust_remote_code=False,
        use_safetensors=True,
        torch_dtype="bfloat16",
        gradient_checkpointing=True,
        use_cache=False,
        return_dict_in_generate=True,
    )
    assert model.dtype_policy.name == "bfloat16"
    assert model.is_gradient_checkpointing
    assert model.config.use_cache is False
    assert model.generation_config.use_cache is False
    assert model.generation_config.return_dict_in_generate is True
    assert "attn_implementation" not in model.config.extras


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"attn_implementation": "flash_attention_2"},
            ValueError,
            "`attn_implementation`.*'flash_attention_2'.*leave it out",
        ),
        ({"device_map": "disk"}, ValueError, "`device_map`.*keras.device"),
        ({"device_map": {"led": 1}}, ValueError, "`device_map`.*'led': 1"),
        ({"load_in_8bit": True}, ValueError, 'model.quantize."int8"'),
        ({"variant": "fp16"}, ValueError, "weight_files="),
        ({"state_dict": {}}, ValueError, "`state_dict`"),
        (
            {"dtype": "float32", "torch_dtype": "float32"},
            TypeError,
            "`torch_dtype` is the old name of `dtype`",
        ),
        ({"use_safetensors": False}, FileNotFoundError, "pytorch_model.bin"),
    ],
    ids=str,
)
def test_what_is_not_offered_says_what_to_do(folder, options, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        LEDModel.from_pretrained(folder, **options)


@pytest.mark.parametrize("form", ["auto", "torch.float16"])
def test_a_dtype_as_scripts_write_it(folder, tmp_path, form):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    content = json.loads((tmp_path / "config.json").read_text())
    content.update(torch_dtype="float16", gradient_checkpointing=True)
    content.pop("dtype", None)
    (tmp_path / "config.json").write_text(json.dumps(content))
    model = LEDForConditionalGeneration.from_pretrained(tmp_path, dtype=form)
    assert model.dtype_policy == keras.DTypePolicy("float16")
    assert model.is_gradient_checkpointing  # the config asks for it
    assert "gradient_checkpointing" not in model.config.extras


def test_options_of_pytorchs_checkpointing(folder):
    model = LEDModel.from_pretrained(folder)
    model.gradient_checkpointing_enable(
        gradient_checkpointing_kwargs={"use_reentrant": False}
    )
    assert model.is_gradient_checkpointing
    with pytest.raises(ValueError, match="Received: 'debug'"):
        model.gradient_checkpointing_enable({"debug": True})
    assert not LEDModel.can_generate()
    assert LEDForConditionalGeneration.can_generate()


def test_a_decoder_without_a_document_is_an_error(folder):
    model = LEDModel.from_pretrained(folder)
    with pytest.raises(ValueError, match="`encoder_hidden_states` .*None"):
        model.get_decoder()(peer.token_ids(2, 5))
