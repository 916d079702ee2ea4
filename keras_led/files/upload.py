"""From a local directory to the Hugging Face hub."""

from pathlib import Path

from keras_led.typing import StrPath

# Where, in the folder of a checkpoint, a run of training keeps its state and
# its options. Those name files of the machine.
RUN_FOLDER = "run"
# Patterns of `fnmatch`, whose star goes over folders.
_PRIVATE = (
    f"{RUN_FOLDER}/*",
    # What a write that was cut off, or a lock, may have left behind.
    *(".*.tmp", "*/.*.tmp", ".*.tmp/*", "*/.*.tmp/*"),
    *(".*.lock", "*/.*.lock"),
)


def push_to_hub(
    directory: StrPath,
    repo_id: str,
    *,
    token: str | None = None,
    private: bool | None = None,
    revision: str | None = None,
    commit_message: str = "Upload LED",
    create_pr: bool = False,
) -> str:
    """Uploads a directory as one commit; makes the hub model when missing.

    What `keras-led train` keeps in the folder `run` stays here: its settings
    and backups are for going on with the run on the same machine.

    The environment variables of `huggingface_hub` apply: `HF_TOKEN`,
    `HF_ENDPOINT` and others.

    Args:
        directory: str or path, as `save_pretrained` writes it.
        repo_id: str, `owner/name`.
        token: str, access token that may write. Defaults to the saved login.
        private: bool, whether a new hub model is hidden.
        revision: str, branch to commit to. Defaults to `main`.
        commit_message: str.
        create_pr: bool, whether to open a pull request instead.

    Returns:
        str, the address of the commit.

    Raises:
        NotADirectoryError: If there is no such directory.
        FileNotFoundError: If it holds no `config.json`.
        PermissionError: If the token is missing or may not write.
        ConnectionError: If the hub cannot be reached.
        ImportError: If `huggingface_hub` is missing.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise NotADirectoryError(
            "`directory` must be a directory that `save_pretrained` wrote. "
            f"Received: directory={directory}."
        )
    if not (directory / "config.json").is_file():
        raise FileNotFoundError(
            "`directory` must hold a config.json. "
            f"Received: directory={directory}. Save the model into it first."
        )
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError as error:
        raise ImportError(
            f"Uploading to {repo_id} needs `huggingface_hub`. Install it with "
            "`pip install huggingface-hub`."
        ) from error
    api = huggingface_hub.HfApi(token=token)
    try:
        repo_id = api.create_repo(
            repo_id, private=private, exist_ok=True
        ).repo_id
        commit = api.upload_folder(
            repo_id=repo_id,
            folder_path=directory,
            revision=revision,
            commit_message=commit_message,
            create_pr=create_pr,
            ignore_patterns=list(_PRIVATE),
        )
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status in (401, 403):
            raise PermissionError(
                f"The hub refuses to write to {repo_id} (status {status}). "
                "Pass a `token=` that may write, or run `hf auth login`."
            ) from error
        raise ConnectionError(
            f"The hub did not take the upload to {repo_id}: "
            f"{str(error).strip()}. Nothing was committed; try again."
        ) from error
    except (ConnectionError, TimeoutError) as error:
        raise ConnectionError(
            f"The hub cannot be reached for {repo_id}: {error}. Check the "
            "network and HF_HUB_OFFLINE, then try again."
        ) from error
    return commit.commit_url
