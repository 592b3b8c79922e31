"""``torch.hub``: weights from an address, and models from a folder or repository with a ``hubconf.py``.

Files of weights are those that ``torch.load`` reads (safetensors). Code of a repository runs as it is: where its
``import torch`` is to mean this library, run the program with ``python -m pytreemod run``. Loaded at first use.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib.util
import json
import os
import re
import shutil
import sys
import tempfile
import uuid
import warnings
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from pytreemod.torch.serialization import load as _load_file

_TRUSTED_OWNERS = ("facebookresearch", "facebookincubator", "pytorch", "fairinternal")
_PIECE = 128 * 1024
_HASH = re.compile(r"-([a-f0-9]*)\.")
_folder: builtins.list[str] = []


def get_dir() -> str:
    """Where downloads are kept: as set, or the folder hub of $TORCH_HOME, by default ~/.cache/torch."""
    if os.getenv("TORCH_HUB"):
        warnings.warn("TORCH_HUB is deprecated, please use env TORCH_HOME instead", stacklevel=2)
    if _folder:
        return _folder[-1]
    home = os.getenv("TORCH_HOME", os.path.join(os.getenv("XDG_CACHE_HOME", "~/.cache"), "torch"))
    return os.path.join(os.path.expanduser(home), "hub")


def set_dir(d: Any) -> None:
    """Keep downloads in the folder ``d``."""
    _folder[:] = [os.path.expanduser(d)]


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Write what is at ``url`` to the file ``dst``; a failed download leaves what was there.

    Args:
        hash_prefix: how its SHA-256 has to begin.
        progress: say on stderr how much is there.

    Raises:
        RuntimeError: it has another hash.
    """
    dst = os.path.expanduser(dst)
    beside = f"{dst}.{uuid.uuid4().hex}.partial"
    digest = hashlib.sha256()
    try:
        with urlopen(Request(url, headers={"User-Agent": "torch.hub"})) as source, open(beside, "xb") as file:
            size, done = int(source.headers.get("Content-Length") or 0), 0
            while piece := source.read(_PIECE):
                file.write(piece)
                digest.update(piece)
                done += len(piece)
                if progress:
                    sys.stderr.write(f"\r{100 * done / size:.1f}%" if size else f"\r{done} bytes")
                    sys.stderr.flush()
            if progress:
                sys.stderr.write("\n")
        found = digest.hexdigest()
        if hash_prefix is not None and not found.startswith(hash_prefix):
            raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{found}")')
        shutil.move(beside, dst)
    finally:
        if os.path.exists(beside):
            os.remove(beside)


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """What the file at ``url`` holds, downloaded once to ``model_dir`` (by default checkpoints in ``get_dir()``).

    Args:
        check_hash: the name of the file has the beginning of its SHA-256 (name-<hash>.ext).

    Raises:
        RuntimeError: it has another hash.
        ValueError: the file is none that ``torch.load`` reads.
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(folder, exist_ok=True)
    name = os.path.basename(urlparse(url).path) if file_name is None else file_name
    file = os.path.join(folder, name)
    if not os.path.exists(file):
        sys.stdout.write(f'Downloading: "{url}" to {file}\n')
        match = _HASH.search(name) if check_hash else None
        download_url_to_file(url, file, match.group(1) if match else None, progress)
    return _load_file(file, map_location, weights_only=weights_only)


def _parsed(github: str) -> tuple[str, str, str]:
    """owner, repository and reference of "owner/repository[:reference]"; main, or master where there is no main.

    Raises:
        RuntimeError: GitHub cannot be reached, and the repository is not in the folder.
    """
    path, _, reference = github.partition(":")
    owner, name = path.split("/")
    if reference:
        return owner, name, reference
    try:
        with urlopen(f"https://github.com/{owner}/{name}/tree/main/"):
            return owner, name, "main"
    except HTTPError as error:
        if error.code == 404:
            return owner, name, "master"
        raise
    except URLError as error:
        for branch in ("main", "master"):
            if os.path.exists(os.path.join(get_dir(), f"{owner}_{name}_{branch}")):
                return owner, name, branch
        raise RuntimeError(
            f"It looks like there is no internet connection and the repo could not be found in the cache ({get_dir()})"
        ) from error


def _check_trust(owner: str, name: str, folder: str, trust_repo: Any) -> None:
    """Ask whether code of the repository may run, unless that is known.

    Raises:
        Exception: it may not (PyTorch's class).
    """
    trusted = Path(get_dir()) / "trusted_list"
    known = trusted.read_text().split() if trusted.exists() else []
    whole = f"{owner}_{name}"
    is_trusted = whole in known or owner in _TRUSTED_OWNERS or os.path.isdir(os.path.join(get_dir(), folder))
    if trust_repo is False or (trust_repo == "check" and not is_trusted):
        answer = input(
            f"The repository {whole} does not belong to the list of trusted repositories and as such cannot be "
            "downloaded. Do you trust this repository and wish to add it to the trusted list of repositories (y/N)?"
        ).lower()
        if answer in ("n", "no", ""):
            raise Exception("Untrusted repository.")  # noqa: TRY002 (PyTorch's class)
        if answer not in ("y", "yes"):
            raise ValueError(f"Unrecognized response {answer}.")
    if not is_trusted:
        with open(trusted, "a") as file:
            file.write(whole + "\n")


def _validate(owner: str, name: str, reference: str) -> None:
    """GitHub also serves commits of forks under a repository's name: is the reference one of its own?

    Raises:
        ValueError: it is not.
    """
    headers = {"Accept": "application/vnd.github.v3+json"}
    if os.environ.get("GITHUB_TOKEN"):
        headers["Authorization"] = f"token {os.environ['GITHUB_TOKEN']}"
    for kind in ("branches", "tags"):
        page = 1
        while True:
            url = f"https://api.github.com/repos/{owner}/{name}/{kind}?per_page=100&page={page}"
            with urlopen(Request(url, headers=headers)) as answer:
                found = json.load(answer)
            if not found:
                break
            if any(each["name"] == reference or each["commit"]["sha"].startswith(reference) for each in found):
                return
            page += 1
    raise ValueError(
        f"Cannot find {reference} in https://github.com/{owner}/{name}. If it's a commit from a forked repo, please "
        "call hub.load() with forked repo directly."
    )


def _repository(github: str, force_reload: bool, trust_repo: Any, verbose: bool, skip_validation: bool) -> str:
    """The folder of a repository, downloaded from GitHub if it is not there."""
    os.makedirs(get_dir(), exist_ok=True)
    owner, name, reference = _parsed(github)
    folder = "_".join((owner, name, reference.replace("/", "_")))
    _check_trust(owner, name, folder, trust_repo)
    path = os.path.join(get_dir(), folder)
    if os.path.exists(path) and not force_reload:
        if verbose:
            sys.stderr.write(f"Using cache found in {path}\n")
        return path
    if not skip_validation:
        _validate(owner, name, reference)
    with tempfile.TemporaryDirectory(dir=get_dir()) as beside:
        file = os.path.join(beside, "repository.zip")
        url = f"https://github.com/{owner}/{name}/zipball/{reference}"
        sys.stdout.write(f'Downloading: "{url}" to {file}\n')
        download_url_to_file(url, file, progress=False)
        with zipfile.ZipFile(file) as packed:  # whose extractall keeps to the folder, whatever names are in the file
            first = packed.namelist()[0].split("/")[0]
            packed.extractall(beside)
        shutil.rmtree(path, ignore_errors=True)
        shutil.move(os.path.join(beside, first), path)
    return path


def _hubconf(folder: str) -> ModuleType:
    """The module ``hubconf.py`` of a folder, which may import its neighbours."""
    spec = importlib.util.spec_from_file_location("hubconf.py", os.path.join(folder, "hubconf.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Path:
    """Context in which modules of a folder are found."""

    def __init__(self, folder: str):
        self.folder = folder

    def __enter__(self) -> None:
        sys.path.insert(0, self.folder)

    def __exit__(self, *_: Any) -> None:
        sys.path.remove(self.folder)


def _entry(module: ModuleType, model: str) -> Any:
    """A function of ``hubconf.py``.

    Raises:
        ValueError, RuntimeError: ``model`` is no name of one, or a package is missing that they need.
    """
    if not isinstance(model, str):
        raise ValueError("Invalid input: model should be a string of function name")
    needed = getattr(module, "dependencies", None) or []
    missing = [name for name in needed if name not in sys.modules and importlib.util.find_spec(name) is None]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    entry = getattr(module, model, None)
    if not callable(entry):
        raise RuntimeError(f"Cannot find callable {model} in hubconf")
    return entry


def list(  # noqa: A001 (PyTorch's name)
    github: str,
    force_reload: bool = False,
    skip_validation: bool = False,
    trust_repo: Any = "check",
    verbose: bool = True,
) -> builtins.list[str]:
    """The names of the functions in the ``hubconf.py`` of a repository ("owner/name[:reference]")."""
    folder = _repository(github, force_reload, trust_repo, verbose, skip_validation)
    with _Path(folder):
        module = _hubconf(folder)
    return [name for name in dir(module) if callable(getattr(module, name)) and not name.startswith("_")]


def help(  # noqa: A001 (PyTorch's name)
    github: str, model: str, force_reload: bool = False, skip_validation: bool = False, trust_repo: Any = "check"
) -> str | None:
    """The docstring of one of them."""
    folder = _repository(github, force_reload, trust_repo, True, skip_validation)
    with _Path(folder):
        return _entry(_hubconf(folder), model).__doc__


def load(
    repo_or_dir: str,
    model: str,
    *args: Any,
    source: str = "github",
    trust_repo: Any = "check",
    force_reload: bool = False,
    verbose: bool = True,
    skip_validation: bool = False,
    **kwargs: Any,
) -> Any:
    """What the function ``model`` in the ``hubconf.py`` of a repository, or of a folder, returns.

    Args:
        source: "github", or "local" for a folder.

    Raises:
        ValueError, RuntimeError: another ``source``; see also ``list``.
    """
    source = source.lower()
    if source not in ("github", "local"):
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    if source == "github":
        repo_or_dir = _repository(repo_or_dir, force_reload, trust_repo, verbose, skip_validation)
    with _Path(repo_or_dir):
        return _entry(_hubconf(repo_or_dir), model)(*args, **kwargs)


__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]
