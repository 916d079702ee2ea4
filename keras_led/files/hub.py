"""From a directory, an embedded name or a hub id to a local file."""

import json
import os
import re
from pathlib import Path

from keras_led.files.embedded import embedded_names
from keras_led.files.embedded import find_embedded
from keras_led.files.pending import current_path

_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)


def resolve(
    name_or_path,
    filenames,
    *,
    revision=None,
    token=None,
    cache_dir=None,
    local_files_only=False,
    subfolder="",
    required=True,
):
    """Finds a file of a checkpoint, downloading it from the hub if need be.

    A directory on this machine is used as it is, and a name of
    `embedded_names()` means the checkpoint in the package. Any other name
    that can be a hub id (`"name"` or `"owner/name"`) goes through
    `huggingface_hub`: its cache, its login, and its environment variables
    (`HF_HOME`, `HF_TOKEN`, `HF_HUB_OFFLINE`, `HF_ENDPOINT`) all apply.

    Args:
        name_or_path: str or path: a local directory, the name of an embedded
            checkpoint, or a hub id.
        filenames: str, or list of str: names of a file relative to the
            directory, the preferred one first. The first that exists counts.
        revision: str, branch, tag or commit on the hub. Defaults to `main`.
        token: str or bool, hub access token. Defaults to the saved login.
        cache_dir: str or path of the download cache. Defaults to the hub's.
        local_files_only: bool. If `True`, only the cache is looked at.
        subfolder: str, folder of the checkpoint that holds the files.
        required: bool. If `False`, a checkpoint without any of the files
            gives `None` instead of an error; so does, without a network, a
            file that is not in the cache.

    Returns:
        `pathlib.Path` of the file on this machine, or `None`.

    Raises:
        FileNotFoundError: If the directory, the hub model, the revision or
            each of the files does not exist.
        PermissionError: If the hub model is gated and no token opens it.
        ConnectionError: If the hub cannot be reached and the file is not in
            the cache.
        ImportError: If a hub id is given and `huggingface_hub` is missing.
    """
    names = [filenames] if isinstance(filenames, str) else list(filenames)
    for name in names:
        _check_inside(name, subfolder)
    name_or_path = os.path.expanduser(os.fspath(name_or_path))
    directory = Path(name_or_path)
    if not directory.exists():
        directory = find_embedded(name_or_path) or directory
    if directory.is_dir():
        path = _find_local(directory / subfolder, names)
        missing = f"the directory {directory / subfolder}"
    elif directory.exists():
        raise NotADirectoryError(
            "`name_or_path` must be a directory or a Hugging Face hub id, not "
            f"a file. Received: name_or_path={name_or_path}."
        )
    elif not _HUB_ID.fullmatch(name_or_path):
        raise FileNotFoundError(
            "`name_or_path` must be an existing directory, or a Hugging Face "
            f"hub id such as owner/name. Received: name_or_path={name_or_path}"
            ", which does not exist. Check the spelling of the path."
        )
    else:
        path = _find_on_hub(
            name_or_path,
            names,
            required,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
            subfolder=subfolder or None,
        )
        missing = f"the hub model {name_or_path}"
    if path is None and required:
        raise FileNotFoundError(
            f"{missing[0].upper()}{missing[1:]} must hold "
            f"{' or '.join(names)}. Received: name_or_path={name_or_path}. "
            "Check that this is the directory of an LED checkpoint."
        )
    return path


def read_json(path):
    """Reads a JSON file that must hold an object.

    Args:
        path: str or path of the file.

    Returns:
        The object, as a `dict`.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is not UTF-8, not JSON, or not an object.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(
            f"{path} must be a JSON file, but it cannot be parsed: {error}. "
            "It may be damaged; copy or download it again."
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} must hold a JSON object. "
            f"Received: {type(content).__name__}."
        )
    return content


def _check_inside(name, subfolder):
    """Refuses names that would lead out of the checkpoint's directory."""
    for value in (name, subfolder):
        parts = re.split(r"[/\\]", value)
        if ".." in parts or os.path.isabs(value) or ":" in parts[0]:
            raise ValueError(
                "A file of a checkpoint must lie inside its directory. "
                f"Received: name={value!r}."
            )


def _find_local(directory, names):
    for name in names:
        path = current_path(directory, name)
        if path.is_file():
            return path
    return None


def _find_on_hub(repo_id, names, required, **options):
    """Downloads the first of `names` that exists, or returns `None`."""
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError as error:
        raise ImportError(
            f"Loading {repo_id} from the Hugging Face hub needs "
            "`huggingface_hub`. Install it with `pip install "
            "huggingface-hub`, or pass a local directory."
        ) from error
    not_cached = None
    for name in names:
        try:
            return Path(
                huggingface_hub.hf_hub_download(repo_id, name, **options)
            )
        except errors.LocalEntryNotFoundError as error:
            # Offline the hub cannot say whether the file exists at all, so
            # the other names get their chance before this is an error.
            not_cached = error
        except errors.EntryNotFoundError:
            continue
        except errors.GatedRepoError as error:
            raise PermissionError(
                f"The hub model {repo_id} is gated. Ask for access on its "
                "page, then pass `token=` or run `hf auth login`."
            ) from error
        except errors.RevisionNotFoundError as error:
            raise FileNotFoundError(
                f"`revision` must exist in the hub model {repo_id}. "
                f"Received: revision={options['revision']}."
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise FileNotFoundError(
                "`name_or_path` must be an existing directory or hub model, or "
                f"one that the package carries: {', '.join(embedded_names())}. "
                f"Received: name_or_path={repo_id}, which is none. Check the "
                "spelling; for a private model pass `token=`."
            ) from error
        except errors.HFValidationError as error:
            raise FileNotFoundError(
                "`name_or_path` must be an existing directory or a valid hub "
                f"id. Received: name_or_path={repo_id}. {error}"
            ) from error
        except (errors.OfflineModeIsEnabled, errors.HfHubHTTPError) as error:
            raise _no_connection(repo_id, name, options, error) from error
        except OSError as error:
            if _is_network_error(error):
                raise _no_connection(repo_id, name, options, error) from error
            raise
    if not_cached is not None and required:
        raise _no_connection(repo_id, names[0], options, not_cached)
    return None


def _is_network_error(error):
    """Tells a failed connection from, say, a full disk."""
    return isinstance(error, ConnectionError | TimeoutError)


def _is_offline():
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE


def _no_connection(repo_id, name, options, error):
    why = (
        "`local_files_only=True` or HF_HUB_OFFLINE keeps it off the network"
        if options["local_files_only"] or _is_offline()
        else f"the hub cannot be reached ({type(error).__name__})"
    )
    return ConnectionError(
        f"{name} of {repo_id} is not in the local cache, and {why}. Connect "
        "to the network once to download it (`hf download "
        f"{repo_id}`), or pass the path of a local directory."
    )
