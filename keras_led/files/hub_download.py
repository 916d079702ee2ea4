"""Files of a hub model: asked for, downloaded, and what may go wrong."""

import time
from pathlib import Path
from typing import Any

from keras_led.argument_checks import did_you_mean
from keras_led.files.embedded import embedded_names

# There, every LED has an owner. The names without one are of the hub's first
# days; a hub of one's own, which HF_ENDPOINT names, may have more of them.
_HUGGING_FACE = "https://huggingface.co"
# Seconds between two tries.
_PAUSE = 1.0
# Statuses with which a hub says that it may answer later.
_BUSY = (408, 429, 500, 502, 503, 504)
# That `huggingface_hub` has used; their errors have no common base.
_HTTP_LIBRARIES = ("httpx", "httpx2", "requests", "urllib3")


def find_on_hub(
    repo_id: str, names: list[str], required: bool, **options: Any
) -> Path | None:
    """Downloads the first of `names` that exists.

    Args:
        repo_id: str, `owner/name`.
        names: list of str, names of a file.
        required: bool, see `keras_led.files.resolve`.
        **options: `revision`, `token`, `cache_dir`, `local_files_only` and
            `subfolder`.

    Returns:
        `pathlib.Path`, or `None` where none of them is there.

    Raises:
        FileNotFoundError, PermissionError, ConnectionError, ImportError: See
            `keras_led.files.resolve`.
    """
    try:
        import huggingface_hub
        from huggingface_hub import constants
        from huggingface_hub import errors
    except ImportError as error:
        if "/" not in repo_id:
            raise no_such_model(repo_id) from error
        raise ImportError(
            f"Loading {repo_id} from the Hugging Face hub needs "
            "`huggingface_hub`. Install it with `pip install "
            "huggingface-hub`, or pass a local directory."
        ) from error
    if "/" not in repo_id and constants.ENDPOINT.rstrip("/") == _HUGGING_FACE:
        raise no_such_model(repo_id)
    options["local_files_only"] |= constants.HF_HUB_OFFLINE
    failure = None
    for name in names:
        try:
            _ask(huggingface_hub, repo_id, name, required, options)
            return Path(
                huggingface_hub.hf_hub_download(repo_id, name, **options)
            )
        except errors.EntryNotFoundError as error:
            # Offline the hub cannot say whether the file exists at all, so
            # the other names get their chance before this is an error.
            if isinstance(error, errors.LocalEntryNotFoundError):
                failure = failure or error
        except Exception as error:
            raised = _explain(errors, error, repo_id, options)
            if raised is not None:
                raise raised from error
            answered = isinstance(error, errors.HfHubHTTPError)
            if not answered and not _is_network_error(error):
                raise
            failure = failure or error
    status = _status(failure)
    if status not in (None, 404):
        raise _refused(status, repo_id, names) from failure
    if failure is None or not required:
        return None
    raise _not_found(repo_id, names[0], options, failure) from failure


def no_such_model(name: str) -> FileNotFoundError:
    """Makes the error for a name that stands for nothing.

    Args:
        name: str, what the user gave as `name_or_path`.

    Returns:
        `FileNotFoundError`.
    """
    carried = embedded_names()
    hint = did_you_mean(name, carried)
    return FileNotFoundError(
        "`name_or_path` must be an existing directory or hub model, "
        "`owner/name`, or one that the package carries: "
        f"{', '.join(carried)}. Received: name_or_path={name}, which is none."
        f"{hint} Check the spelling; for a private model pass `token=`."
    )


def _ask(hub, repo_id, name, required, options):
    """Asks for the head of a file that is not in the cache.

    `hf_hub_download` itself would ask seven times, for each file, with a line
    of warning each. Here a file that must be there is asked for twice.
    """
    if options["local_files_only"]:
        return
    folder, revision = options["subfolder"], options["revision"]
    cached = hub.try_to_load_from_cache(
        repo_id,
        f"{folder}/{name}" if folder else name,
        cache_dir=options["cache_dir"],
        revision=revision,
    )
    if isinstance(cached, str):
        return
    url = hub.hf_hub_url(repo_id, name, subfolder=folder, revision=revision)
    for last in (False, True):
        try:
            hub.get_hf_file_metadata(url, token=options["token"])
            return
        except Exception as error:
            busy = _status(error) in _BUSY
            if last or not (busy or required and _is_network_error(error)):
                raise
            time.sleep(_PAUSE)


def _explain(errors, error, repo_id, options):
    """Returns the error for one of the hub about the model as a whole."""
    if isinstance(error, errors.GatedRepoError):
        return PermissionError(
            f"The hub model {repo_id} is gated. Ask for access on its "
            "page, then pass `token=` or run `hf auth login`."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return FileNotFoundError(
            f"`revision` must exist in the hub model {repo_id}. "
            f"Received: revision={options['revision']}."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return no_such_model(repo_id)
    if isinstance(error, errors.HFValidationError):
        return FileNotFoundError(
            "`name_or_path` must be an existing directory or a valid hub "
            f"id. Received: name_or_path={repo_id}. {error}"
        )
    return None


def _status(error):
    """HTTP status of an answer, or `None` where there was no answer."""
    error = getattr(error, "__cause__", None) or error
    return getattr(getattr(error, "response", None), "status_code", None)


def _is_network_error(error):
    """Tells a failed connection from, say, a full disk."""
    library = type(error).__module__.partition(".")[0]
    return (
        isinstance(error, ConnectionError | TimeoutError)
        or library in _HTTP_LIBRARIES
    )


def _refused(status, repo_id, names):
    """Makes the error for an answer of the hub that is no file."""
    what = f"The hub answers {status} to a request for {names[0]} of {repo_id}"
    if status in (401, 403):
        return PermissionError(
            f"{what}: it gives no access. Pass a `token=` that may read the "
            "model, or run `hf auth login`."
        )
    if status == 429:
        return ConnectionError(
            f"{what}: too many requests. Wait some minutes, or pass a "
            "`token=`, which has a higher limit."
        )
    return ConnectionError(
        f"{what}, which is no file. Try again later, or pass the path of a "
        "local directory."
    )


def _not_found(repo_id, name, options, failure):
    """Makes the error for a required file that is not there."""
    if _status(failure) == 404:
        return FileNotFoundError(
            f"The hub model {repo_id} must exist and hold {name}. Received: "
            "the answer 404. Check `name_or_path`, `revision` and `subfolder`."
        )
    cause = failure.__cause__ or failure
    why = (
        "`local_files_only=True` or HF_HUB_OFFLINE keeps it off the network"
        if options["local_files_only"]
        else f"the hub cannot be reached ({type(cause).__name__})"
    )
    return ConnectionError(
        f"{name} of {repo_id} is not in the local cache, and {why}. Connect "
        "to the network once to download it (`hf download "
        f"{repo_id}`), or pass the path of a local directory."
    )
