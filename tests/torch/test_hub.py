"""torch.hub without a network: addresses of files, folders with a hubconf.py, and a repository that is there."""

import hashlib
import zipfile

import pytest
import torch

import pytreemod.torch as ours

CONF = '''
import neighbour
dependencies = ["json"]
_hidden = print

def small(size, *, bias=False):
    """A small one."""
    return neighbour.NAME, size, bias
'''


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("TORCH_HUB", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def folder(home):
    path = home / "repository"
    path.mkdir()
    (path / "hubconf.py").write_text(CONF)
    (path / "neighbour.py").write_text("NAME = 'neighbour'")
    return path


def test_where_downloads_are(home, monkeypatch):
    assert ours.hub.get_dir() == torch.hub.get_dir()
    monkeypatch.delenv("TORCH_HOME")
    assert ours.hub.get_dir() == torch.hub.get_dir()
    monkeypatch.setattr(ours.hub, "_folder", [])
    ours.hub.set_dir(home / "other")
    assert ours.hub.get_dir() == str(home / "other")


def test_weights_are_downloaded_once(home, capsys):
    ours.save({"w": ours.arange(3.0)}, home / "source.bin")
    digest = hashlib.sha256((home / "source.bin").read_bytes()).hexdigest()
    (home / "source.bin").rename(home / f"net-{digest[:8]}.pth")
    url = (home / f"net-{digest[:8]}.pth").as_uri()
    for _ in range(2):
        found = ours.hub.load_state_dict_from_url(url, check_hash=True, progress=False)
        assert found["w"].tolist() == [0.0, 1.0, 2.0]
    assert capsys.readouterr().out.count("Downloading") == 1
    assert (home / "home/hub/checkpoints" / f"net-{digest[:8]}.pth").exists()
    assert ours.utils.model_zoo.load_url(url, str(home / "zoo"))["w"].tolist() == [0.0, 1.0, 2.0]


def test_another_hash_leaves_nothing(home):
    (home / "file").write_bytes(b"text")
    with pytest.raises(RuntimeError, match='invalid hash value .expected "00"'):
        ours.hub.download_url_to_file((home / "file").as_uri(), str(home / "copy"), "00", progress=False)
    assert sorted(path.name for path in home.iterdir()) == ["file"]
    ours.hub.download_url_to_file((home / "file").as_uri(), str(home / "copy"))
    assert (home / "copy").read_bytes() == b"text"


def test_a_folder(folder):
    for t in (ours, torch):
        assert t.hub.load(str(folder), "small", 3, source="local", bias=True) == ("neighbour", 3, True)
        with pytest.raises(RuntimeError, match="Cannot find callable large in hubconf"):
            t.hub.load(str(folder), "large", source="local")
        with pytest.raises(ValueError, match="model should be a string"):
            t.hub.load(str(folder), 3, source="local")
        with pytest.raises(ValueError, match='Unknown source: "web"'):
            t.hub.load(str(folder), "small", source="web")
    (folder / "hubconf.py").write_text("dependencies = ['json', 'no_such_package']\ndef small(): pass")
    for t in (ours, torch):
        with pytest.raises(RuntimeError, match="Missing dependencies: no_such_package"):
            t.hub.load(str(folder), "small", source="local")


def test_a_repository(folder, home, monkeypatch, capsys):
    with zipfile.ZipFile(home / "packed.zip", "w") as packed:
        for name in ("hubconf.py", "neighbour.py"):
            packed.write(folder / name, f"owner-name-1234/{name}")
    asked = []

    def urlopen(request):
        asked.append(getattr(request, "full_url", request))
        return __import__("urllib.request").request.urlopen((home / "packed.zip").as_uri())

    monkeypatch.setattr(ours.hub, "urlopen", urlopen)
    options = {"trust_repo": True, "skip_validation": True}
    assert ours.hub.load("owner/name:v1", "small", 2, **options) == ("neighbour", 2, False)
    assert asked == ["https://github.com/owner/name/zipball/v1"]
    assert ours.hub.list("owner/name:v1") == torch.hub.list("owner/name:v1") == ["small"]  # from what is there
    assert ours.hub.help("owner/name:v1", "small") == "A small one."
    assert len(asked) == 1 and "Using cache found" in capsys.readouterr().err
    monkeypatch.setattr("builtins.input", lambda text: "n")
    with pytest.raises(Exception, match="Untrusted repository"):
        ours.hub.list("stranger/name:v1")
