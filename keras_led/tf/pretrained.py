"""`from_pretrained` and `save_pretrained` with the arguments of TFLED."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import Self

from keras_led.checkpoints.card import CARD_NAME
from keras_led.checkpoints.card import write_card
from keras_led.checkpoints.checkpoint import WEIGHT_FILES
from keras_led.checkpoints.saving import save_pretrained_weights
from keras_led.checkpoints.tensorflow_saving import save_tensorflow_weights
from keras_led.config import LEDConfig
from keras_led.typing import StrPath

_SAFETENSORS = tuple(name for name in WEIGHT_FILES if "safetensors" in name)
_TENSORFLOW = tuple(name for name in WEIGHT_FILES if ".h5" in name)
_PYTORCH = tuple(name for name in WEIGHT_FILES if ".bin" in name)


class TFPretrainedMixin:
    """Reads and writes checkpoints as `transformers` 4 on TensorFlow."""

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: StrPath,
        *,
        config: LEDConfig | None = None,
        from_pt: bool = False,
        **options: Any,
    ) -> Self:
        """Makes a model from a Hugging Face checkpoint.

        The kind of a file is detected from its content; `from_pt` and
        `use_safetensors` choose where a checkpoint has several.

        Args:
            name_or_path: str or path: a directory, or a Hugging Face hub id.
            config: `LEDConfig`, or a directory or hub id that has one, to use
                instead of the checkpoint's.
            from_pt: bool, whether to prefer the files that PyTorch wrote:
                `pytorch_model.bin`, then safetensors. Otherwise the order is
                safetensors, `tf_model.h5`, `pytorch_model.bin`.
            **options: Arguments of `LEDModel.from_pretrained`: `revision`,
                `token`, `dtype`, `max_global_tokens`, `use_safetensors`,
                `LEDConfig` arguments.

        Returns:
            The model, with the weights of the checkpoint.

        Raises:
            FileNotFoundError: If there is no such checkpoint or file.
            ConnectionError: If the hub cannot be reached.
            ValueError: If a file is damaged, or its tensors do not fit.
        """
        if isinstance(config, (str, os.PathLike)):
            config = LEDConfig.from_pretrained(config)
        order = _SAFETENSORS + _TENSORFLOW + _PYTORCH
        if from_pt:
            order = _PYTORCH + _SAFETENSORS
        return super().from_pretrained(
            name_or_path, config=config, weight_files=order, **options
        )

    def save_settings(self, directory: StrPath) -> LEDConfig:
        """Writes what a checkpoint holds beside weights, into `directory`."""
        config = super().save_settings(directory)
        config.architectures = [type(self).__name__.removeprefix("TF")]
        config.save_pretrained(directory)
        return config

    def save_pretrained(
        self,
        save_directory: StrPath,
        saved_model: bool = False,
        version: Any = 1,
        push_to_hub: bool = False,
        signatures: Any = None,
        max_shard_size: int | str = "5GB",
        create_pr: bool = False,
        safe_serialization: bool = False,
        token: str | bool | None = None,
        write_beside: Callable[[Path], object] | None = None,
        **hub_options: Any,
    ) -> None:
        """Writes a Hugging Face directory.

        All files are written before the first of them takes the place of an
        older one.

        Args:
            save_directory: str or path, made when missing.
            saved_model: bool, whether to write a SavedModel to
                `saved_model/{version}` too.
            version: int, version of the SavedModel.
            push_to_hub: bool, whether to upload the directory afterwards, to
                `repo_id` or to the directory's name.
            signatures: Signatures of the SavedModel; see `save_saved_model`.
            max_shard_size: int in bytes or str such as "5GB": larger weights
                go to several files with an index.
            create_pr: bool, whether the upload opens a pull request.
            safe_serialization: bool, `True` for `model.safetensors` with
                PyTorch's names, which `transformers` 5 reads; `False` for
                `tf_model.h5`, which `transformers` 4 reads.
            token: str, hub access token.
            write_beside: callable that takes a directory and writes more
                files into it, such as `tokenizer.save_pretrained`, or `None`.
            **hub_options: `repo_id`, and arguments of
                `keras_led.files.push_to_hub`, for an upload.

        Raises:
            TypeError: If an argument is unknown.
            ValueError: If an argument is out of range, or weights are
                quantized.
        """
        if hub_options and not push_to_hub:
            raise TypeError(
                "`save_pretrained` takes hub arguments with push_to_hub=True "
                f"only. Received: {', '.join(hub_options)}."
            )
        directory = Path(save_directory)

        def write_settings(staging):
            config = self.save_settings(staging)
            if not (directory / CARD_NAME).exists():
                write_card(staging, config, name=directory.resolve().name)
            if saved_model:
                self.save_saved_model(
                    staging / "saved_model" / str(version), signatures
                )
            if write_beside is not None:
                write_beside(staging)

        save = save_tensorflow_weights
        if safe_serialization:
            save = save_pretrained_weights
        save(self, directory, max_shard_size, write_beside=write_settings)  # pyright: ignore[reportArgumentType]
        if not safe_serialization:
            _warn_of_other_weights(directory)
        if push_to_hub:
            self._upload(directory, token, create_pr, **hub_options)

    def _upload(self, directory, token, create_pr, repo_id=None, **options):
        from keras_led.files import push_to_hub

        return push_to_hub(
            directory,
            repo_id or directory.resolve().name,
            token=token,
            create_pr=create_pr,
            **options,
        )


def _warn_of_other_weights(directory):
    """Says that older weights would be read in place of the new ones."""
    others = [x for x in _SAFETENSORS if (directory / x).exists()]
    if others:
        warnings.warn(
            f"{directory} holds {others[0]} of an earlier save, which "
            "`from_pretrained` reads before the new tf_model.h5. Remove it, "
            "or save with safe_serialization=True.",
            stacklevel=3,
        )
