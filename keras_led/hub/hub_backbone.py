"""`LEDBackbone`: encoder and decoder of LED as a KerasHub backbone."""

from typing import TYPE_CHECKING
from typing import Any
from typing import Self

import keras
import keras_hub

from keras_led.argument_checks import did_you_mean
from keras_led.config import LEDConfig
from keras_led.hub.hub_adapters import LAYERS
from keras_led.hub.hub_adapters import add_adapters
from keras_led.hub.hub_core import GLOBAL_MASK
from keras_led.hub.hub_core import INPUTS
from keras_led.hub.hub_core import LEDCore
from keras_led.hub.hub_presets import find_transformers_config
from keras_led.hub.hub_presets import read_backbone
from keras_led.hub.sizes import arguments_of
from keras_led.hub.sizes import config_of
from keras_led.layers.changes import check_quantization
from keras_led.layers.changes import find_changes
from keras_led.layers.changes import make_changes
from keras_led.layers.changes import quantizable
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from keras_led.training.layout_map import layout_map
from keras_led.typing import StrPath
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable


@keras.saving.register_keras_serializable(package="keras_led")
class LEDBackbone(keras_hub.models.Backbone):
    """The Longformer encoder-decoder without a head.

    Args:
        vocabulary_size: int, number of tokens.
        num_layers: int, layers of the encoder, and of the decoder.
        num_heads: int, attention heads of each layer; divides `hidden_dim`.
        hidden_dim: int, size of hidden states.
        intermediate_dim: int, inner size of the feed-forward blocks.
        dropout: float in [0, 1).
        attention_window: int, or list of one int a layer of the encoder:
            tokens on both sides together, even.
        max_encoder_sequence_length: int, longest document, in tokens.
        max_decoder_sequence_length: int, longest output, in tokens.
        dtype: str or Keras dtype policy.
        led_config: dict of fields of `keras_led.LEDConfig` that the arguments
            above do not set, or set for encoder and decoder alike, such as
            `{"decoder_layers": 2, "attention_dropout": 0.1}`.
        changes: dict, what was done to the layers of a saved backbone
            (adapters, quantization, freezing), as `get_config` wrote it.
        led: `keras_led.LEDForConditionalGeneration` to stand on, instead of a
            new one; see `from_led`.
        **kwargs: `name` and `trainable`.

    Call arguments:
        inputs: dict of int tensors: `"encoder_token_ids"` and
            `"encoder_padding_mask"` of shape `(B, S)`, `"decoder_token_ids"`
            and `"decoder_padding_mask"` of shape `(B, T)`, where 0 is padding
            in a mask; and, if wanted, `"encoder_global_attention_mask"`, 1 at
            tokens that attend to all. By default the first token does.

    Returns:
        dict of float tensors, `"encoder_sequence_output"` `(B, S, D)` and
        `"decoder_sequence_output"` `(B, T, D)`.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If a size is out of range, or a row longer than its table
            of positions.

    Example:
        >>> backbone = keras_led.hub.LEDBackbone(
        ...     vocabulary_size=99, num_layers=1, num_heads=2, hidden_dim=8,
        ...     intermediate_dim=16, attention_window=4,
        ...     max_encoder_sequence_length=64, max_decoder_sequence_length=8)
        >>> ids = np.array([[0, 5, 6, 2]])
        >>> ones = np.ones_like(ids)
        >>> output = backbone({
        ...     "encoder_token_ids": ids, "encoder_padding_mask": ones,
        ...     "decoder_token_ids": ids, "decoder_padding_mask": ones})
        >>> tuple(output["decoder_sequence_output"].shape)
        (1, 4, 8)

    Source:
        Beltagy et al., 2020, https://arxiv.org/abs/2004.05150, section 7.
    """

    led: LEDForConditionalGeneration
    core: LEDCore

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        dropout: float = 0.1,
        attention_window: int | list[int] = 512,
        max_encoder_sequence_length: int = 16384,
        max_decoder_sequence_length: int = 1024,
        dtype: Any = None,
        *,
        led_config: dict[str, Any] | None = None,
        changes: dict[str, Any] | None = None,
        led: LEDForConditionalGeneration | None = None,
        **kwargs: Any,
    ):
        # === Layers ===
        if led is None:
            config = config_of(
                {
                    "vocabulary_size": vocabulary_size,
                    "num_layers": num_layers,
                    "num_heads": num_heads,
                    "hidden_dim": hidden_dim,
                    "intermediate_dim": intermediate_dim,
                    "dropout": dropout,
                    "attention_window": attention_window,
                    "max_encoder_sequence_length": max_encoder_sequence_length,
                    "max_decoder_sequence_length": max_decoder_sequence_length,
                },
                led_config,
            )
            led = LEDForConditionalGeneration(config, dtype=dtype)
        core = LEDCore(led, name="core")

        # === Functional Model ===
        inputs = {
            name: keras.Input((None,), dtype="int32", name=name)
            for name in INPUTS
        }
        encoded, decoded = core(*inputs.values())
        super().__init__(
            inputs=inputs,
            outputs={
                "encoder_sequence_output": encoded,
                "decoder_sequence_output": decoded,
            },
            dtype=dtype,
            **kwargs,
        )
        if changes:
            make_changes(led, changes)

        # === Config ===
        self.core = core
        self.led = led
        self.token_embedding = led.led.shared
        self.vocabulary_size = led.config.vocab_size
        self.num_layers = led.config.encoder_layers
        self.num_heads = led.config.encoder_attention_heads
        self.hidden_dim = led.config.d_model
        self.intermediate_dim = led.config.encoder_ffn_dim
        self.dropout = led.config.dropout
        self.attention_window = led.config.attention_window
        self.max_encoder_sequence_length = (
            led.config.max_encoder_position_embeddings
        )
        self.max_decoder_sequence_length = (
            led.config.max_decoder_position_embeddings
        )

    @classmethod
    def from_led_config(cls, config: LEDConfig, **options: Any) -> Self:
        """Makes a fresh backbone of every setting of an `LEDConfig`.

        Args:
            config: `LEDConfig`.
            **options: `dtype`, `name`, `trainable`.
        """
        return cls(**arguments_of(config), **options)

    @classmethod
    def from_led(cls, led: LEDForConditionalGeneration, **options: Any) -> Self:
        """Makes a backbone over a model that is there, with its weights.

        Args:
            led: `LEDForConditionalGeneration`; not copied.
            **options: `name`, `trainable`.
        """
        options = {"dtype": led.dtype_policy, **options}
        return cls(**arguments_of(led.config), led=led, **options)

    def call(
        self,
        inputs: dict[str, Tensor],
        training: bool | None = None,
        mask: Any = None,
    ) -> dict[str, Tensor]:
        # The same layer as in the functional graph, which has no place for
        # an input that may be missing.
        known = (*INPUTS, GLOBAL_MASK)
        for name in inputs:
            if name not in known:
                hint = did_you_mean(name, known)
                raise TypeError(
                    f"`LEDBackbone` has no input {name!r}.{hint} "
                    f"Its inputs are {', '.join(known)}."
                )
        encoded, decoded = self.core(**inputs, training=bool(training))
        return {
            "encoder_sequence_output": encoded,
            "decoder_sequence_output": decoded,
        }

    def get_config(self) -> dict[str, Any]:
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self.led.dtype_policy),
            **arguments_of(self.led.config),
        }
        changes = find_changes(self.led)
        return {**config, "changes": changes} if changes else config

    @classmethod
    def from_preset(
        cls, preset: StrPath, load_weights: bool = True, **kwargs: Any
    ) -> Self:
        """Reads a backbone from a KerasHub preset or a Hugging Face folder.

        Args:
            preset: str or path: a directory, `"hf://owner/name"`, another
                handle of KerasHub, or the name of an embedded checkpoint. A
                Hugging Face folder may hold every kind of file that
                `LEDForConditionalGeneration.from_pretrained` reads.
            load_weights: bool, `False` for fresh weights.
            **kwargs: `dtype`, `name`, `trainable`.

        Returns:
            `LEDBackbone`.

        Raises:
            FileNotFoundError: If there is no such preset.
            ValueError: If it holds no LED.
        """
        content = find_transformers_config(cls, preset)
        if content is None:
            return super().from_preset(str(preset), load_weights, **kwargs)
        return read_backbone(cls, preset, load_weights, **kwargs)

    def export_to_transformers(self, path: StrPath) -> None:
        """Writes a directory that Hugging Face's LED loads unchanged.

        Args:
            path: str or path of the directory.
        """
        self.led.save_pretrained(path)

    def quantize(
        self,
        mode: str | None = None,
        config: Any = None,
        filters: Any = None,
        **kwargs: Any,
    ) -> None:
        """Quantizes the weights; see `keras.Model.quantize`.

        Without `filters`, what cannot be quantized is left alone, without a
        warning for each layer.
        """
        check_quantization(mode)
        filters = quantizable if filters is None else filters
        super().quantize(mode, config=config, filters=filters, **kwargs)

    # ---- adapters ---------------------------------------------------------

    def default_lora_layer_names(self) -> list[str]:
        """Names of the layers that `enable_lora` adapts."""
        return list(LAYERS)

    def enable_lora(
        self,
        rank: int,
        target_layer_names: "str | Iterable[str] | None" = None,
    ) -> None:
        """Adds adapters and freezes the rest, biases included.

        KerasHub's own would train the biases under the adapters, and leave
        them out of `save_lora_weights`.

        Args:
            rank: int, at least 1.
            target_layer_names: list of names among
                `keras_led.models.adapters.TARGETS`; by default
                `default_lora_layer_names()`.

        Raises:
            ValueError: If an argument is out of range, or there are adapters.
        """
        if target_layer_names is None:
            target_layer_names = self.default_lora_layer_names()
        add_adapters(self, rank, target_layer_names)

    # ---- devices ----------------------------------------------------------

    def get_layout_map(
        self,
        device_mesh: keras.distribution.DeviceMesh,
        model_parallel_dim_name: str = "model",
    ) -> keras.distribution.LayoutMap:
        """Spreads the weights over one axis of a device mesh.

        Args:
            device_mesh: `keras.distribution.DeviceMesh`.
            model_parallel_dim_name: str, the axis of the mesh to shard on.

        Returns:
            `keras.distribution.LayoutMap` for a backbone of these sizes that
            is made afterwards; see `keras_led.training.layout_map`.

        Raises:
            ValueError: If the mesh has no such axis, or its devices do not
                divide a size.
        """
        return layout_map(
            device_mesh, self.led.config, model_axis=model_parallel_dim_name
        )
