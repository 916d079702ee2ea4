"""What all LED models share: construction, weights, training, saving."""

import inspect

import keras

from keras_led import backend
from keras_led.checkpoints import load_pretrained_weights
from keras_led.checkpoints import save_pretrained_weights
from keras_led.config import LEDConfig
from keras_led.models.encoding import DEFAULT_MAX_GLOBAL_TOKENS
from keras_led.models.inputs import check_names
from keras_led.models.inputs import merge_first_argument


class LEDPreTrainedModel(keras.Model):
    """Base class of the LED models.

    All weights exist once the model is made; no input is needed. The first
    call argument may be a dict of call arguments. Compiled without a loss, a
    model trains on its own, from the labels among the inputs or in `y`.

    Args:
        config: `LEDConfig`; the model keeps a copy.
        max_global_tokens: int, slots for the global tokens of a document
            inside compiled code, where their number cannot be read. A
            document with more takes a slower, exact way.
        **kwargs: `name`, `dtype` (a Keras dtype policy) and other arguments
            of `keras.Model`.
    """

    def __init__(
        self, config, max_global_tokens=DEFAULT_MAX_GLOBAL_TOKENS, **kwargs
    ):
        if not isinstance(config, LEDConfig):
            raise TypeError(
                "`config` must be an `LEDConfig`. "
                f"Received: a {type(config).__name__}. "
                f"Use `{type(self).__name__}.from_pretrained` for a checkpoint."
            )
        if not isinstance(max_global_tokens, int) or max_global_tokens < 1:
            raise ValueError(
                "`max_global_tokens` must be a positive number of tokens. "
                f"Received: max_global_tokens={max_global_tokens}."
            )
        kwargs.setdefault("name", _snake_case(type(self).__name__))
        super().__init__(**kwargs)
        self.config = config.copy()
        self.max_global_tokens = max_global_tokens

    def __call__(self, *args, **kwargs):
        args, kwargs = merge_first_argument(args, kwargs)
        known = inspect.signature(self.call).parameters
        check_names(kwargs, known, type(self).__name__)
        return super().__call__(*args, **kwargs)

    # ---- training ---------------------------------------------------------

    def compile(self, *args, jit_compile="auto", **kwargs):
        if jit_compile == "auto":
            jit_compile = backend.JIT_BY_DEFAULT
        super().compile(*args, jit_compile=jit_compile, **kwargs)

    def train_step(self, *args, **kwargs):
        *state, data = args
        return super().train_step(*state, self._with_labels(data), **kwargs)

    def test_step(self, *args, **kwargs):
        *state, data = args
        return super().test_step(*state, self._with_labels(data), **kwargs)

    def _with_labels(self, data):
        """Gives the model the labels of `y`: decoder inputs come from them."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if not isinstance(x, dict):
            x = {"input_ids": x}
        x = {**x, **self.targets_as_inputs(y, x)}
        return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)

    def targets_as_inputs(self, y, x):
        """Call arguments that hold the targets `y` of a training batch."""
        if y is None or "labels" in x:
            return {}
        return {"labels": y}

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        if self._compile_loss is not None:
            y_pred = self.predictions(y_pred)
            return super().compute_loss(
                x, y, y_pred, sample_weight, training=training
            )
        loss = y_pred.loss
        if loss is None:
            raise ValueError(
                "The inputs hold no `labels`, from which the model computes "
                f"its loss. Received: {', '.join(x)}. Pass `labels` among "
                "the inputs or as `y`, or a `loss` to `compile`."
            )
        for extra in self.losses:
            loss = loss + extra
        return loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        y_pred = self.predictions(y_pred)
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def predictions(self, output):
        """The part of `output` that losses and metrics compare with `y`."""
        return output.logits

    # ---- layers -----------------------------------------------------------

    def gradient_checkpointing_enable(self):
        """Recomputes each layer in the backward pass instead of storing it.

        Training then holds the hidden states between the layers and the
        intermediates of one layer, for about a third more time.
        """
        self._set_gradient_checkpointing(True)

    def gradient_checkpointing_disable(self):
        """Stores what the backward pass needs, the default."""
        self._set_gradient_checkpointing(False)

    @property
    def is_gradient_checkpointing(self):
        """Whether layers are recomputed in the backward pass."""
        return self.get_base_model().encoder.gradient_checkpointing

    def _set_gradient_checkpointing(self, value):
        self.get_base_model().encoder.gradient_checkpointing = value
        self.get_base_model().decoder.gradient_checkpointing = value
        # A compiled training step holds the former choice.
        self.train_function = None

    def get_base_model(self):
        """The `LEDModel` inside."""
        return self.led

    def get_encoder(self):
        """The encoder, callable by itself; it shares this model's layers."""
        return self.get_base_model().get_encoder()

    def get_decoder(self):
        """The decoder, callable by itself; it shares this model's layers."""
        return self.get_base_model().get_decoder()

    def get_input_embeddings(self):
        """The `keras.layers.Embedding` of the tokens."""
        return self.get_base_model().shared

    def set_input_embeddings(self, embeddings):
        """Copies the table of another embedding layer or array in.

        Args:
            embeddings: A built `keras.layers.Embedding`, or an array of shape
                `(vocab_size, d_model)`.

        Raises:
            ValueError: If the shape differs from the table's.
        """
        table = getattr(embeddings, "embeddings", embeddings)
        self.get_base_model().set_token_tables(table)

    def get_output_embeddings(self):
        """The layer that turns hidden states to logits; `None` without one."""
        return None

    def resize_token_embeddings(
        self, new_num_tokens=None, pad_to_multiple_of=None, mean_resizing=True
    ):
        """Cuts the vocabulary, or adds tokens at its end.

        Args:
            new_num_tokens: int, tokens afterwards; `None` for as many as
                there are.
            pad_to_multiple_of: int, to round `new_num_tokens` up to, or
                `None`.
            mean_resizing: bool, whether new rows start at the mean of the old
                ones, else normal with `config.init_std`.

        Returns:
            The embedding layer, resized. Compile the model again afterwards:
            an optimizer's state has the old shapes.

        Raises:
            ValueError: If a number is not positive.
        """
        size = new_num_tokens
        if size is None:
            size = self.config.vocab_size
        if pad_to_multiple_of is not None:
            if pad_to_multiple_of < 1:
                raise ValueError(
                    "`pad_to_multiple_of` must be positive. Received: "
                    f"pad_to_multiple_of={pad_to_multiple_of}."
                )
            size = -(-size // pad_to_multiple_of) * pad_to_multiple_of
        if size < 1:
            raise ValueError(
                "`new_num_tokens` must be positive. "
                f"Received: new_num_tokens={new_num_tokens}."
            )
        if size != self.config.vocab_size:
            self._resize_vocabulary(size, mean_resizing)
            self.train_function = None
            self.test_function = None
            self.predict_function = None
        return self.get_input_embeddings()

    def _resize_vocabulary(self, size, mean_resizing):
        self.get_base_model().resize_tables(size, mean_resizing)
        self.config.vocab_size = size

    # ---- files ------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls,
        name_or_path,
        *,
        config=None,
        dtype=None,
        name=None,
        max_global_tokens=DEFAULT_MAX_GLOBAL_TOKENS,
        revision=None,
        token=None,
        cache_dir=None,
        local_files_only=False,
        subfolder="",
        **overrides,
    ):
        """Makes a model from a Hugging Face checkpoint.

        Args:
            name_or_path: str or path: a directory, or a Hugging Face hub id.
            config: `LEDConfig` to use instead of the checkpoint's.
            dtype: str or Keras dtype policy, for example "float32",
                "bfloat16" or "mixed_bfloat16"; by default Keras' own.
            name: str, name of the model.
            max_global_tokens: int, as in the constructor.
            revision: str, branch, tag or commit on the hub.
            token: str or bool, hub access token.
            cache_dir: str or path of the download cache.
            local_files_only: bool. If `True`, only the cache is looked at.
            subfolder: str, folder of the checkpoint that holds the files.
            **overrides: `LEDConfig` arguments that replace those of the file.

        Returns:
            The model, with the weights of the checkpoint.

        Raises:
            FileNotFoundError: If there is no such checkpoint or file.
            ConnectionError: If the hub cannot be reached.
            ValueError: If a file is damaged, or its tensors do not fit.
        """
        hub = {
            "revision": revision,
            "token": token,
            "cache_dir": cache_dir,
            "local_files_only": local_files_only,
            "subfolder": subfolder,
        }
        if config is None:
            config = LEDConfig.from_pretrained(name_or_path, **hub, **overrides)
        else:
            config = config.copy(**overrides)
        options = {} if name is None else {"name": name}
        model = cls(
            config,
            max_global_tokens=max_global_tokens,
            dtype=dtype,
            **options,
        )
        load_pretrained_weights(model, name_or_path, **hub)
        model.load_settings(name_or_path, **hub)
        return model

    def load_settings(self, name_or_path, **hub):
        """Reads what a checkpoint holds beside config and weights."""

    def save_pretrained(self, directory, max_shard_size="5GB"):
        """Writes a directory that Hugging Face's LED loads unchanged.

        Args:
            directory: str or path, made when missing.
            max_shard_size: int in bytes or str such as "5GB": larger weights
                go to several files with an index.
        """
        config = self.config.copy()
        config.architectures = [type(self).__name__]
        save_pretrained_weights(self, directory, max_shard_size=max_shard_size)
        config.save_pretrained(directory)

    def get_config(self):
        return {
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "max_global_tokens": self.max_global_tokens,
            "config": self.config.to_dict(),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        led_config = LEDConfig.from_dict(config.pop("config"))
        if isinstance(config.get("dtype"), dict):
            config["dtype"] = keras.dtype_policies.deserialize(config["dtype"])
        return cls(led_config, **config)


def _snake_case(name):
    words = name.replace("LED", "Led")
    return "".join(
        "_" + letter.lower() if letter.isupper() and i else letter.lower()
        for i, letter in enumerate(words)
    )
