"""The loss and the training loop: by hand, in closed form, interrupted, resumed, ill-fed."""

import _thread
import copy
import io
import math
import signal

import numpy as np
import pytest
import torch
from torch import nn

from dae_helpers import (
    CorruptedDigits,
    DenoisingAutoencoder,
    Digits,
    History,
    denoise_loss,
    minibatch_gd,
    minibatch_loss,
    one_cycle,
)
from dae_helpers.training import mean_loss


def linear(seed=0, side=2):
    """One linear layer from images (N, 1, side, side) to images of the same shape."""
    torch.manual_seed(seed)
    pixels = side * side
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels, pixels), nn.Unflatten(1, (1, side, side)))


def pairs(n, seed=0, side=2):
    """A plain list of n tuples (corrupted, original)."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(n, 2, 1, side, side, generator=generator)
    return [(corrupted, original) for corrupted, original in images]


def quiet(model, num_epochs, train_set, test_set=None, **options):
    test_set = train_set if test_set is None else test_set
    return minibatch_gd(model, num_epochs, train_set, test_set, **{"progress": False, **options})


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def by_hand(model, some_pairs):
    """The mean loss over all pairs, in numpy."""
    w = model[1].weight.detach().double().numpy()
    b = model[1].bias.detach().double().numpy()
    x, y = (np.stack([pair[i].double().numpy().ravel() for pair in some_pairs]) for i in (0, 1))
    return ((x @ w.T + b - y) ** 2).mean()


class Recording(torch.utils.data.Dataset):
    """A data set that remembers which indices it was asked for."""

    def __init__(self, some_pairs):
        self.pairs, self.asked = some_pairs, []

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        self.asked.append(int(index))
        return self.pairs[index]


# The loss


@pytest.mark.parametrize("shape", [(3, 1, 4, 5), (7,), ()])
def test_loss_is_the_mean_square(shape):
    rng = np.random.default_rng(0)
    a, b = rng.random(shape), rng.random(shape)
    found = denoise_loss(torch.as_tensor(a), torch.as_tensor(b))
    assert found.shape == ()
    assert found.item() == pytest.approx(np.mean((a - b) ** 2), rel=1e-12)


@pytest.mark.parametrize("other", [(2, 1, 4, 5), (3, 1, 1, 1), (3, 1, 5, 4), (3, 20), ()])
def test_loss_of_other_shapes(other):
    with pytest.raises(ValueError) as caught:
        denoise_loss(torch.zeros(3, 1, 4, 5), torch.zeros(other))
    for words in ("same shape", "(3, 1, 4, 5)", str(other)):
        assert words in str(caught.value)


def test_minibatch_loss_compares_with_the_targets():
    model, ((x, y), *_) = linear(), pairs(1)
    found = minibatch_loss(model, x[None], y[None])
    assert found.item() == pytest.approx(by_hand(model, [(x, y)]), rel=1e-5)
    found.backward()
    assert model[1].weight.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="same shape"):
        minibatch_loss(model, x[None], torch.zeros(1, 1, 3, 3))


# One step, in closed form


def test_gradient_step_of_a_linear_layer():
    model, batch, lr = linear(), pairs(6), 0.3
    w, b = (p.detach().double().numpy().copy() for p in model[1].parameters())
    x, y = (np.stack([pair[i].double().numpy().ravel() for pair in batch]) for i in (0, 1))
    slope = 2 * (x @ w.T + b - y) / y.size
    history = quiet(model, 1, batch, lr=lr, batch_size=6)
    np.testing.assert_allclose(model[1].weight.detach(), w - lr * slope.T @ x, atol=1e-6)
    np.testing.assert_allclose(model[1].bias.detach(), b - lr * slope.sum(axis=0), atol=1e-6)
    assert history.train_loss == [pytest.approx(((x @ w.T + b - y) ** 2).mean(), rel=1e-5)]
    assert history.test_loss == [pytest.approx(by_hand(model, batch), rel=1e-5)]


def test_gradients_of_earlier_do_not_count():
    clean, stale, batch = linear(), linear(), pairs(6)
    minibatch_loss(stale, *(torch.stack(part) for part in zip(*batch, strict=True))).backward()
    quiet(clean, 1, batch)
    quiet(stale, 1, batch)
    assert torch.equal(weights(clean), weights(stale))


def test_default_learning_rate():
    model, explicit, batch = linear(), linear(), pairs(4)
    quiet(model, 2, batch)
    quiet(explicit, 2, batch, lr=0.01)
    assert torch.equal(weights(model), weights(explicit))


def test_sgd_takes_the_hand_written_steps():
    ours, theirs, data = linear(), linear(), pairs(10)
    first = quiet(ours, 3, data, lr=0.1, batch_size=4)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1)
    second = quiet(theirs, 3, data, optimizer=optimizer, batch_size=4)
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-6, atol=1e-7)
    assert first.train_loss == pytest.approx(second.train_loss, rel=1e-6)


def test_the_optimizers_rate_is_the_one_used():
    model, data = linear(), pairs(4)
    before = weights(model)
    quiet(model, 1, data, lr=1.0, optimizer=torch.optim.SGD(model.parameters(), lr=0.0))
    assert torch.equal(weights(model), before)


def test_many_steps_reach_the_least_squares_solution():
    data = pairs(12, side=2)
    model = linear()
    quiet(model, 800, data, lr=1.0, batch_size=12)
    x, y = (np.stack([pair[i].double().numpy().ravel() for pair in data]) for i in (0, 1))
    x = np.hstack([x, np.ones((12, 1))])
    best = ((x @ np.linalg.lstsq(x, y, rcond=None)[0] - y) ** 2).mean()
    assert by_hand(model, data) == pytest.approx(best, rel=1e-3)


# Averages


def test_mean_over_samples_with_a_short_last_batch():
    data = pairs(7)
    data[0] = (data[0][0], data[0][1] + 3)  # one large loss, in whichever batch it falls
    for seed in range(4):
        model = linear()
        history = quiet(model, 1, data, lr=1e-9, batch_size=3, seed=seed)  # batches of 3, 3, 1
        assert history.train_loss == [pytest.approx(by_hand(model, data), rel=1e-5)]
        assert history.test_loss == [pytest.approx(by_hand(model, data), rel=1e-5)]


@pytest.mark.parametrize("n", [5, 128, 300])  # 300: two whole batches and a short one
def test_mean_loss_whatever_the_number_of_pairs(n):
    model, data = linear(), pairs(n, seed=1)
    data[-1] = (data[-1][0], data[-1][1] + 3)  # one large loss, in the last batch
    found = mean_loss(model, data)
    assert isinstance(found, float)
    assert found == pytest.approx(by_hand(model, data), rel=1e-5)


def test_both_losses_are_of_their_own_set():
    model, train, test = linear(), pairs(6, seed=1), pairs(5, seed=2)
    history = quiet(model, 1, train, test, lr=1e-9)
    assert history.train_loss[0] == pytest.approx(by_hand(model, train), rel=1e-5)
    assert history.test_loss[0] == pytest.approx(by_hand(model, test), rel=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_mean_loss_leaves_mode_and_gradients(training):
    model = nn.Sequential(nn.Dropout(0.5), linear()).train(training)
    first = mean_loss(model, pairs(5))
    assert model.training is training and model[0].training is training
    assert first == mean_loss(model, pairs(5)), "without dropout"
    assert all(p.grad is None for p in model.parameters())


def test_modes_during_training():
    modes = []

    class Spy(nn.Module):
        def forward(self, x):
            modes.append((self.training, torch.is_grad_enabled()))
            return x

    model = nn.Sequential(Spy(), linear())
    quiet(model, 2, pairs(4), batch_size=2)
    tried = [(False, False)] * 2  # a mini-batch of each set, before a weight moves
    assert modes == tried + [(True, True), (True, True), (False, False)] * 2
    assert not model.training


# Data sets


def digits(n=20, seed=3):
    images = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
    return Digits(images, torch.arange(n) % 10, "random numbers")


def network(seed=0):
    torch.manual_seed(seed)
    return DenoisingAutoencoder()


def test_corrupted_digits_train_like_a_plain_list():
    dataset = CorruptedDigits(digits(), seed=4)
    plain = list(zip(dataset.corrupted, dataset.original, strict=True))
    a, b = network(), network()
    first, second = quiet(a, 2, dataset, batch_size=8), quiet(b, 2, plain, batch_size=8)
    assert first == second
    assert torch.equal(weights(a), weights(b))


def test_channels_last_changes_no_result():
    dataset, model, reference = CorruptedDigits(digits(8), seed=4), network(), network()
    quiet(model, 1, dataset, lr=0.1, batch_size=8)
    loss = (reference(dataset.corrupted) - dataset.original).square().mean()
    loss.backward()
    for parameter, other in zip(model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(parameter, other - 0.1 * other.grad)


def test_brightness_is_learned():
    dark = Digits(torch.full((16, 1, 28, 28), 0.1), torch.zeros(16), "nowhere")
    model, data = network(), CorruptedDigits(dark)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    history = quiet(model, 15, data, optimizer=optimizer, batch_size=8)
    assert history.test_loss[-1] < 0.3 * history.test_loss[0]


# Order and seeds


def test_seed_decides_the_order():
    def run(seed):
        model = linear()
        return quiet(model, 3, pairs(9), lr=0.1, batch_size=2, seed=seed), weights(model)

    (first, a), (again, b), (other, c) = run(5), run(5), run(6)
    assert first == again and torch.equal(a, b)
    assert first.train_loss != other.train_loss and not torch.equal(a, c)


def test_order_does_not_depend_on_the_global_generator():
    histories = []
    for seed in (0, 1):
        model = linear()
        torch.manual_seed(seed)
        histories.append(quiet(model, 2, pairs(9), lr=0.1, batch_size=2))
    assert histories[0] == histories[1]


def test_each_epoch_visits_every_pair_once_in_a_new_order():
    train = Recording(pairs(10))
    quiet(linear(), 3, train, pairs(2), batch_size=4)
    asked = train.asked[4:]  # without the mini-batch that is tried first
    epochs = [asked[i : i + 10] for i in (0, 10, 20)]
    assert len(asked) == 30
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert list(range(10)) not in epochs


def test_test_set_is_visited_once_an_epoch_in_order():
    test = Recording(pairs(5))
    quiet(linear(), 2, pairs(4), test)
    assert test.asked == list(range(5)) * 3  # tried, then measured after each epoch


@pytest.mark.parametrize("steps", [1, 3, 5, 12])
def test_steps_per_epoch_passes_follow_without_a_gap(steps):
    train = Recording(pairs(10))
    lengths = []
    history = quiet(
        linear(),
        20 // steps * 3,
        train,
        pairs(2),
        batch_size=2,
        steps_per_epoch=steps,
        on_epoch_end=lambda history: lengths.append(len(train.asked) - 2),
    )
    del train.asked[:2]  # the mini-batch that is tried first
    assert lengths == [(i + 1) * steps * 2 for i in range(len(history.train_loss))]
    whole = len(train.asked) // 10
    assert whole >= 2
    for i in range(whole):
        assert sorted(train.asked[10 * i : 10 * i + 10]) == list(range(10))
    rest = train.asked[10 * whole :]
    assert len(set(rest)) == len(rest)


def test_steps_per_epoch_train_loss_is_a_mean_over_samples():
    model, data = linear(), pairs(5)
    history = quiet(model, 1, data, lr=1e-9, batch_size=2, steps_per_epoch=5)  # two whole passes
    assert history.train_loss == [pytest.approx(by_hand(model, data), rel=1e-5)]


# Resuming


@pytest.mark.parametrize("steps", [None, 3])
def test_resumed_run_of_plain_descent_is_bit_for_bit_the_same(steps):
    data = CorruptedDigits(digits())
    options = {"lr": 0.1, "batch_size": 8, "steps_per_epoch": steps, "seed": 7}
    whole = network()
    expected = quiet(whole, 4, data, **options)
    first = network()
    history = quiet(first, 2, data, **options)
    saved, losses = copy.deepcopy(first.state_dict()), copy.deepcopy(vars(history))
    second = network(seed=99)
    second.load_state_dict(saved)
    resumed = quiet(second, 4, data, history=History(**losses), **options)
    assert torch.equal(weights(whole), weights(second))
    assert resumed == expected
    assert len(resumed.train_loss) == 4


def test_resumed_run_with_optimizer_and_schedule_is_bit_for_bit_the_same():
    data = CorruptedDigits(digits())

    def machinery(model):
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=12)
        return {"optimizer": optimizer, "scheduler": scheduler}

    whole = network()
    expected = quiet(whole, 4, data, batch_size=8, **machinery(whole))
    first = network()
    parts = machinery(first)
    history = quiet(first, 2, data, batch_size=8, **parts)
    file = io.BytesIO()
    torch.save([first.state_dict(), *(part.state_dict() for part in parts.values())], file)
    file.seek(0)
    states = torch.load(file, weights_only=True)
    second = network(seed=99)
    second.load_state_dict(states[0])
    parts = machinery(second)
    for part, state in zip(parts.values(), states[1:], strict=True):
        part.load_state_dict(state)
    resumed = quiet(second, 4, data, batch_size=8, history=history, **parts)
    assert torch.equal(weights(whole), weights(second))
    assert resumed == expected


def test_nothing_left_to_do():
    model, history = linear(), History([0.5, 0.4], [0.5, 0.4])
    before = weights(model)
    assert quiet(model, 2, pairs(4), history=history) == History([0.5, 0.4], [0.5, 0.4])
    assert quiet(model, 0, pairs(4)) == History()
    assert torch.equal(weights(model), before)


def test_histories_share_nothing():
    quiet(linear(), 1, pairs(4))
    assert len(quiet(linear(), 1, pairs(4)).train_loss) == 1


def test_on_epoch_end_sees_each_epoch():
    seen = []

    def note(history):
        seen.append((len(history.train_loss), len(history.test_loss)))

    history = quiet(linear(), 3, pairs(4), on_epoch_end=note)
    assert seen == [(1, 1), (2, 2), (3, 3)]
    quiet(linear(), 5, pairs(4), on_epoch_end=note, history=history)
    assert seen[3:] == [(4, 4), (5, 5)]


# Schedules and frozen parameters


def test_schedule_moves_with_every_mini_batch():
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    quiet(model, 2, pairs(7), batch_size=3, optimizer=optimizer, scheduler=scheduler)
    assert optimizer.param_groups[0]["lr"] == 0.5 ** (2 * 3)


@pytest.mark.parametrize("with_optimizer", [False, True])
def test_frozen_parameters_stay(with_optimizer):
    model = nn.Sequential(linear(0), linear(1))
    model[0].requires_grad_(False)
    frozen, free = weights(model[0]), weights(model[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1) if with_optimizer else None
    quiet(model, 2, pairs(6), lr=0.1, optimizer=optimizer)
    assert torch.equal(weights(model[0]), frozen)
    assert not torch.equal(weights(model[1]), free)


# Interruption and failure


class Interrupting(Recording):
    """Interrupts like the stop button of a notebook at its n-th visit."""

    def __init__(self, some_pairs, at, how):
        super().__init__(some_pairs)
        self.at, self.how = at, how

    def __getitem__(self, index):
        if len(self.asked) == self.at:
            self.how()
        return super().__getitem__(index)


def press_stop():
    raise KeyboardInterrupt


@pytest.fixture
def interruptible():
    """Ctrl-C works as in a kernel, also where a shell started the tests with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("how", [press_stop, _thread.interrupt_main])
@pytest.mark.parametrize(("at", "epochs"), [(3, 0), (10, 1), (25, 2)])
def test_interrupted_in_mid_epoch(how, at, epochs, capsys):
    model = linear()
    before = weights(model)
    train = Interrupting(pairs(10), at + 1, how)  # one is tried first
    history = quiet(model, 5, train, pairs(4), batch_size=1, lr=0.1)
    assert isinstance(history, History)
    assert len(history.train_loss) == len(history.test_loss) == epochs
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Interrupted") and f"epoch {epochs + 1} of 5" in line
    assert not model.training
    assert torch.isfinite(weights(model)).all() and not torch.equal(weights(model), before)
    assert model(torch.zeros(1, 1, 2, 2)).shape == (1, 1, 2, 2)


def test_interrupted_while_testing(capsys):
    test = Interrupting(pairs(4), 9, press_stop)  # tried, an epoch, one pair
    model = linear()
    history = quiet(model, 3, pairs(4), test)
    assert len(history.train_loss) == len(history.test_loss) == 1
    assert not model.training
    assert capsys.readouterr().out.startswith("Interrupted in epoch 2")


def test_interrupted_run_goes_on():
    model = linear()
    history = quiet(model, 3, Interrupting(pairs(4), 10, press_stop), pairs(4))
    history = quiet(model, 3, pairs(4), history=history)
    assert len(history.train_loss) == len(history.test_loss) == 3


def test_runaway_loss_is_an_error():
    model = linear()
    with pytest.raises(FloatingPointError, match=r"epoch \d+.*smaller learning rate"):
        quiet(model, 50, pairs(4), lr=1e20)
    assert not model.training


def test_nan_in_the_images_is_an_error():
    data = pairs(4)
    data[2] = (data[2][0] * math.nan, data[2][1])
    with pytest.raises(FloatingPointError, match="nan in epoch 1"):
        quiet(linear(), 2, data)


# Bad input


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"model": lambda x: x}, TypeError, ["model", "torch.nn.Module", "function"]),
        ({"model": DenoisingAutoencoder}, TypeError, ["class", "DenoisingAutoencoder()"]),
        ({"num_epochs": 2.0}, TypeError, ["num_epochs", "whole number", "2.0"]),
        ({"num_epochs": True}, TypeError, ["num_epochs", "whole number", "True"]),
        ({"num_epochs": "2"}, TypeError, ["num_epochs", "whole number", "'2'"]),
        ({"num_epochs": -1}, ValueError, ["num_epochs", "-1"]),
        ({"train_set": []}, ValueError, ["train_set", "(corrupted, original)", "empty"]),
        ({"test_set": []}, ValueError, ["test_set", "(corrupted, original)", "empty"]),
        ({"lr": 0}, ValueError, ["lr", "above 0", "0"]),
        ({"lr": -0.1}, ValueError, ["lr", "at least 0", "-0.1"]),
        ({"lr": math.nan}, ValueError, ["lr", "at least 0", "nan"]),
        ({"lr": math.inf}, ValueError, ["lr", "inf"]),
        ({"lr": "0.1"}, TypeError, ["lr", "'0.1'"]),
        ({"batch_size": 0}, ValueError, ["batch_size", "at least 1", "0"]),
        ({"batch_size": 2.5}, TypeError, ["batch_size", "whole number", "2.5"]),
        ({"steps_per_epoch": 0}, ValueError, ["steps_per_epoch", "at least 1", "0"]),
        ({"steps_per_epoch": 1.0}, TypeError, ["steps_per_epoch", "whole number", "1.0"]),
    ],
)
def test_bad_arguments(options, error, words):
    good = {"model": linear(), "num_epochs": 1, "train_set": pairs(4), "test_set": pairs(4)}
    with pytest.raises(error) as caught:
        minibatch_gd(**{**good, "progress": False, **options})
    for word in words:
        assert word in str(caught.value)


def test_target_of_another_shape():
    data = [(x, torch.zeros(1, 3, 3)) for x, _ in pairs(4)]
    with pytest.raises(ValueError, match=r"should return images of the shape \(4, 1, 3, 3\)"):
        quiet(linear(), 1, data)


def test_digits_with_labels_are_no_pairs_of_images():
    """The likely slip: what load_mnist returns, handed on without CorruptedDigits."""
    with pytest.raises((TypeError, ValueError)) as caught:
        quiet(network(), 1, digits())
    assert "(corrupted, original)" in str(caught.value)


def test_model_without_parameters():
    with pytest.raises((TypeError, ValueError), match="model"):
        quiet(nn.Identity(), 1, pairs(4))


# What is printed


def test_progress_can_be_silent(capsys):
    quiet(linear(), 2, pairs(4))
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_progress_bar_shows_both_losses(capsys):
    history = quiet(linear(), 2, pairs(4), progress=True)
    captured = capsys.readouterr()
    assert f"train={history.train_loss[-1]:.4f}" in captured.out
    assert f"test={history.test_loss[-1]:.4f}" in captured.out
    assert captured.err == ""


# The recipe


def test_one_cycle_is_the_recipe_of_04():
    """AdamW, one cycle up to 0.02, mini-batches of 16, a number after each part of the steps."""
    ours, theirs, data = linear(), linear(), pairs(40)
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=2e-2)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-2, total_steps=6)
    options = {"optimizer": optimizer, "scheduler": scheduler, "batch_size": 16}
    expected = quiet(theirs, 2, data, **options, steps_per_epoch=3)
    found = one_cycle(ours, data, data, 6, parts=2, progress=False)
    assert len(found.test_loss) == 2 and found == expected
    assert torch.equal(weights(ours), weights(theirs))
    with pytest.raises(ValueError, match="5 is not of 2"):
        one_cycle(ours, data, data, 5, parts=2)
