"""Weights are written whole or not at all, and verified before anything in them is read."""

import hashlib
import json

import pytest
import torch
import whole
from pretrain import save_whole

import dae_helpers
from dae_helpers import DenoisingAutoencoder, SkipDenoiser, checkpoints, load_pretrained
from dae_helpers.checkpoints import MODELS, pretrained_epochs, read_history, read_manifest


def state(seed=0):
    torch.manual_seed(seed)
    return DenoisingAutoencoder().state_dict()


def row(path, epochs, recipe="classic"):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"sha256": digest, "epochs": epochs, "recipe": recipe, "test_loss": 0.1}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of weights for 1 and 10 epochs, and of another recipe, with its manifest."""
    folder = tmp_path / "models"
    rows = {}
    for epochs in (10, 1):
        path = folder / f"mnistmodel{epochs}.pt"
        save_whole(state(epochs), path)
        rows[path.name] = row(path, epochs)
    save_whole(state(7), folder / "other.pt")
    rows["other.pt"] = row(folder / "other.pt", 3, recipe="fast")
    (folder / "manifest.json").write_text(json.dumps(rows))
    monkeypatch.setattr(checkpoints, "MODELS", folder)
    return folder


def assert_same(model, expected):
    found = model.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_weights_are_loaded_in_eval_mode(folder):
    for epochs in (1, 10):
        torch.manual_seed(99)
        model = load_pretrained(epochs)
        assert isinstance(model, DenoisingAutoencoder)
        assert not any(module.training for module in model.modules())
        assert_same(model, state(epochs))
    assert_same(load_pretrained(1), state(1))


def test_default_is_400_epochs(folder):
    with pytest.raises(ValueError, match="400"):
        load_pretrained()


def test_epochs_of_the_classic_recipe(folder):
    assert pretrained_epochs() == [1, 10]
    assert read_manifest()["other.pt"]["recipe"] == "fast"


def test_weights_of_other_recipes(folder):
    assert_same(load_pretrained("fast"), state(7))
    torch.manual_seed(8)
    weights = SkipDenoiser().state_dict()
    save_whole(weights, folder / "s.pt")
    rows = read_manifest() | {"s.pt": row(folder / "s.pt", 4, recipe="skip")}
    (folder / "manifest.json").write_text(json.dumps(rows))
    model = load_pretrained("skip")
    assert isinstance(model, SkipDenoiser) and not model.training
    assert_same(model, weights)


def test_damaged_weights_of_another_recipe(folder):
    (folder / "other.pt").write_bytes(flip((folder / "other.pt").read_bytes()))
    with pytest.raises(ValueError, match="other.pt is not the file"):
        load_pretrained("fast")


@pytest.mark.parametrize("epochs", [2, 3, 0, -1, "1", "skip", None, True, 1.0, [1]])
def test_epochs_without_weights(folder, epochs):
    with pytest.raises((TypeError, ValueError)) as caught:
        load_pretrained(epochs)
    assert "epochs should be one of 1, 10" in str(caught.value)
    assert repr(epochs) in str(caught.value)


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def test_weights_of_another_epoch(folder):
    (folder / "mnistmodel1.pt").write_bytes((folder / "mnistmodel10.pt").read_bytes())
    with pytest.raises(ValueError, match="mnistmodel1.pt is not the file"):
        load_pretrained(1)


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_weights_of_another_network(folder, change):
    weights, path = state(), folder / "mnistmodel1.pt"
    name = "decoder.decoder.4.bias"
    if change == "missing":
        del weights[name]
    else:
        weights[name if change == "shape" else "extra"] = torch.zeros(2)
    save_whole(weights, path)
    rows = read_manifest()
    rows[path.name] = row(path, 1)
    (folder / "manifest.json").write_text(json.dumps(rows))
    with pytest.raises(RuntimeError, match="extra" if change == "extra" else name):
        load_pretrained(1)


def test_missing_manifest(folder):
    (folder / "manifest.json").unlink()
    for read in (read_manifest, pretrained_epochs, lambda: load_pretrained(1)):
        with pytest.raises(FileNotFoundError) as caught:
            read()
        assert str(folder / "manifest.json") in str(caught.value)
        assert "fetch" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"<!doctype html>", b"\xff\xfe\x00", b"[]", b"3"])
def test_damaged_manifest(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(ValueError) as caught:
        load_pretrained(1)
    for words in (str(folder / "manifest.json"), "damaged", "fetch"):
        assert words in str(caught.value)


# Saving


def test_saved_and_read_again(tmp_path):
    path = tmp_path / "new" / "folder" / "weights.pt"
    content = {"model": state(), "losses": [0.5, 0.25], "epoch": 2}
    save_whole(content, path)
    found = torch.load(path, weights_only=True)
    assert found["losses"] == [0.5, 0.25] and found["epoch"] == 2
    assert all(torch.equal(found["model"][name], value) for name, value in state().items())
    assert [entry.name for entry in path.parent.iterdir()] == ["weights.pt"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("there_before", [True, False])
def test_failed_save_leaves_the_old_file(tmp_path, monkeypatch, error, there_before):
    path = tmp_path / "weights.pt"
    if there_before:
        save_whole(state(1), path)
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}

    def half_way(content, file):
        file.write(b"the first half")
        raise error

    monkeypatch.setattr(torch, "save", half_way)
    with pytest.raises(type(error)):
        save_whole(state(2), path)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before


def test_old_file_is_there_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "weights.pt"
    save_whole({"epoch": 1}, path)
    seen = []
    replace = whole.os.replace

    def watch(source, target):
        seen.append((torch.load(source), torch.load(target)))
        replace(source, target)

    monkeypatch.setattr(whole.os, "replace", watch)
    save_whole({"epoch": 2}, path)
    assert seen == [({"epoch": 2}, {"epoch": 1})]
    assert torch.load(path) == {"epoch": 2}


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError):
        save_whole({"epoch": 1}, tmp_path / "file" / "weights.pt")
    assert (tmp_path / "file").read_text() == "no folder"


# What is shipped


def test_history_of_the_classic_recipe():
    history = read_history()
    assert len(history.train_loss) == len(history.test_loss) == 400
    for row in read_manifest().values():
        table = history if row["recipe"] == "classic" else read_history(row["recipe"])
        epoch = row["epochs"] - 1 if row["recipe"] == "classic" else -1
        assert [row["train_loss"], row["test_loss"]] == [
            table.train_loss[epoch], table.test_loss[epoch]
        ]  # fmt: skip
    with pytest.raises(FileNotFoundError, match="mnistmodel_slow_history.csv"):
        read_history("slow")


def test_every_shipped_file_fits_the_network():
    rows = read_manifest()
    assert rows
    for name, about in rows.items():
        content = (MODELS / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == about["sha256"], name
        weights = torch.load(MODELS / name, weights_only=True)
        model = getattr(dae_helpers, about["network"])()
        model.load_state_dict(weights, strict=True)
        assert all(torch.isfinite(value).all() for value in weights.values()), name
    for epochs in pretrained_epochs():
        assert f"mnistmodel{epochs}.pt" in rows
        assert not load_pretrained(epochs).training
