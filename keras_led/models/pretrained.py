"""From checkpoints to models and back."""

import tempfile
from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

from keras_led.checkpoints import open_checkpoint
from keras_led.checkpoints import save_pretrained_weights
from keras_led.checkpoints.card import CARD_NAME
from keras_led.checkpoints.card import write_card
from keras_led.checkpoints.checkpoint import WEIGHT_FILES
from keras_led.checkpoints.loading import build_and_load
from keras_led.checkpoints.table import HEAD_OF_ARCHITECTURE
from keras_led.config import LEDConfig
from keras_led.files import push_to_hub
from keras_led.files import read_together
from keras_led.layers.initializers import defer_initial_values
from keras_led.layers.initializers import draw_values
from keras_led.models.encoder_model import DEFAULT_MAX_GLOBAL_TOKENS
from keras_led.models.loading_arguments import check_their_arguments
from keras_led.models.loading_arguments import read_dtype
from keras_led.models.loading_arguments import read_weight_files
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


class PretrainedMixin:
    """Reads and writes Hugging Face checkpoints, on disk and on the hub."""

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: StrPath,
        *,
        config: LEDConfig | None = None,
        dtype: Any = None,
        name: str | None = None,
        max_global_tokens: int = DEFAULT_MAX_GLOBAL_TOKENS,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: StrPath | None = None,
        local_files_only: bool = False,
        subfolder: str = "",
        ignore_mismatched_sizes: bool = False,
        weight_files: Iterable[str] = WEIGHT_FILES,
        use_safetensors: bool | None = None,
        torch_dtype: Any = None,
        gradient_checkpointing: bool | None = None,
        **overrides: Any,
    ) -> Self:
        """Makes a model from a Hugging Face checkpoint.

        Args:
            name_or_path: str or path: a directory, or a Hugging Face hub id.
            config: `LEDConfig` to use instead of the checkpoint's.
            dtype: str or Keras dtype policy, for example "float32",
                "bfloat16" or "mixed_bfloat16"; by default Keras' own. "auto"
                is the dtype that the checkpoint's config names.
            name: str, name of the model.
            max_global_tokens: int, as in the constructor.
            revision: str, branch, tag or commit on the hub.
            token: str or bool, hub access token.
            cache_dir: str or path of the download cache.
            local_files_only: bool. If `True`, only the cache is looked at.
            subfolder: str, folder of the checkpoint that holds the files.
            ignore_mismatched_sizes: bool, whether a tensor of another shape
                leaves its weight fresh, with a warning, instead of an error.
            weight_files: iterable of str, names of weight and index files:
                the first that is there is read.
            use_safetensors: bool, `True` to read safetensors only, `False` to
                leave them.
            torch_dtype: the old name of `dtype`.
            gradient_checkpointing: bool, whether to call
                `gradient_checkpointing_enable`; by default what the config
                says.
            **overrides: `LEDConfig` arguments that replace those of the file;
                options of `generate`, which go to the `generation_config`.
                Other keywords of Hugging Face are accepted where they ask for
                what happens anyway.

        Returns:
            The model, with the weights of the checkpoint.

        Raises:
            FileNotFoundError: If there is no such checkpoint or file.
            ConnectionError: If the hub cannot be reached.
            ValueError: If a file is damaged, its tensors do not fit, or a
                keyword asks for what is not offered.
        """
        overrides = check_their_arguments(overrides)
        hub = {
            "revision": revision,
            "token": token,
            "cache_dir": cache_dir,
            "local_files_only": local_files_only,
            "subfolder": subfolder,
        }
        weight_files = read_weight_files(weight_files, use_safetensors)
        own, settings, checkpoint = read_together(
            name_or_path,
            lambda: cls._open(
                name_or_path, config, overrides, weight_files, hub
            ),
            subfolder=subfolder,
            discard=lambda opened: opened[-1].close(),
        )
        options = {} if name is None else {"name": name}

        def build():
            with defer_initial_values():
                return cls(
                    own,  # pyright: ignore[reportCallIssue]
                    max_global_tokens=max_global_tokens,
                    dtype=read_dtype(dtype, torch_dtype, own),
                    **options,
                )

        with checkpoint:
            model, kept = build_and_load(
                build,
                own,
                _head(cls),
                checkpoint,
                name_or_path,
                ignore_mismatched_sizes=ignore_mismatched_sizes,
            )
        draw_values(model, kept)
        # Files from before transformers 4.11 ask for it in their config.
        wanted = model.config.extras.pop("gradient_checkpointing", False)
        if gradient_checkpointing is not None:
            wanted = gradient_checkpointing
        if wanted:
            model.gradient_checkpointing_enable()
        model.use_settings(settings)
        return model

    @classmethod
    def _open(cls, name_or_path, config, overrides, weight_files, hub):
        """Reads or opens all files of a checkpoint."""
        if config is None:
            own = LEDConfig.from_pretrained(name_or_path, **hub, **overrides)
        else:
            own = config.copy(**overrides)
        settings = cls.read_settings(name_or_path, config, overrides, **hub)
        checkpoint = open_checkpoint(name_or_path, weight_files, **hub)
        return own, settings, checkpoint

    @classmethod
    def read_settings(
        cls,
        name_or_path: StrPath,
        config: LEDConfig | None = None,
        overrides: dict[str, Any] | None = None,
        **hub: Any,
    ) -> Any:
        """Reads what a checkpoint holds beside config and weights."""

    def use_settings(self, settings: Any) -> None:
        """Takes over what `read_settings` returned."""

    def save_settings(self, directory: StrPath) -> LEDConfig:
        """Writes what a checkpoint holds beside weights, into `directory`."""
        config = self.config.copy()
        config.architectures = [type(self).__name__]
        config.save_pretrained(directory)
        return config

    def save_pretrained(
        self,
        directory: StrPath,
        max_shard_size: int | str = "5GB",
        dtype: str | None = None,
        *,
        write_beside: Callable[[Path], object] | None = None,
    ) -> None:
        """Writes a directory that Hugging Face's LED loads unchanged.

        Config, weights and a model card (where there is none yet) take the
        place of older ones in one step: a reader, or a crash at any moment,
        sees the old model or the new one.

        Args:
            directory: str or path, made when missing.
            max_shard_size: int in bytes or str such as "5GB": larger weights
                go to several files with an index.
            dtype: str, "float32", "float16" or "bfloat16"; by default that
                of each weight.
            write_beside: callable that takes a directory and writes more
                files into it, which come in the same step, such as
                `tokenizer.save_pretrained`; or `None`.

        Raises:
            ValueError: If an argument is out of range, or weights are
                quantized.
        """
        directory = Path(directory)

        def write_settings(staging):
            config = self.save_settings(staging)
            if not (directory / CARD_NAME).exists():
                write_card(staging, config, name=directory.resolve().name)
            if write_beside is not None:
                write_beside(staging)

        save_pretrained_weights(
            self,  # pyright: ignore[reportArgumentType]
            directory,
            max_shard_size=max_shard_size,
            dtype=dtype,
            write_beside=write_settings,
        )

    def push_to_hub(
        self,
        repo_id: str,
        tokenizer: "LEDTokenizer | None" = None,
        **options: Any,
    ) -> str:
        """Uploads the model to the Hugging Face hub, as one commit.

        Args:
            repo_id: str, `owner/name`.
            tokenizer: `LEDTokenizer` to upload with it, or `None`.
            **options: as in `keras_led.files.push_to_hub`: `token`,
                `private`, `revision`, `commit_message`, `create_pr`.

        Returns:
            str, the address of the commit.
        """
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder) / repo_id.rpartition("/")[2]
            beside = None if tokenizer is None else tokenizer.save_pretrained
            self.save_pretrained(folder, write_beside=beside)
            return push_to_hub(folder, repo_id, **options)


def _head(cls):
    """Head of a class of ours, of a TFLED or of a subclass of either."""
    names = [base.__name__.removeprefix("TF") for base in cls.__mro__]
    return next(
        HEAD_OF_ARCHITECTURE[x] for x in names if x in HEAD_OF_ARCHITECTURE
    )
