"""The loss and the training loop: mini-batch gradient descent, written out."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from .checks import (
    check_batch,
    check_device,
    check_loss,
    check_memory,
    check_pair,
    check_training,
)

__all__ = ["History", "denoise_loss", "minibatch_gd", "minibatch_loss", "test_loss"]


@dataclass
class History:
    """The losses of a training run, one number an epoch, each a mean over all samples.

    ``train_loss`` is measured while the weights move, ``test_loss`` in eval mode after the epoch.
    """

    train_loss: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)


def denoise_loss(output: Tensor, original: Tensor) -> Tensor:
    """Mean squared error of the denoised ``output`` against the *original*, clean image.

    Both (N, C, H, W) or any other shape, but the same one; values in squared units of brightness.
    Returns a scalar tensor, the mean over all images and pixels. Raises ``ValueError`` if the
    shapes differ, ``TypeError`` for what is no tensor of floats.
    Source: Vincent et al. 2010, JMLR 11:3371-3408, section 2.
    """
    check_pair(output, original)
    return nn.functional.mse_loss(output, original)


def minibatch_loss(model: nn.Module, input_imgs: Tensor, target_imgs: Tensor) -> Tensor:
    """Loss of one mini-batch: the model's output for ``input_imgs`` against ``target_imgs``.

    Both (N, 1, 28, 28) in [0, 1]. Returns a scalar tensor that can be differentiated. Raises
    ``ValueError`` if the model's output and the targets differ in shape.
    """
    return denoise_loss(model(input_imgs), target_imgs)


def _epoch_order(size: int, seed: int, start: int, count: int) -> list[int]:
    """Entries ``start`` to ``start + count`` of an endless list of shuffled passes over a set.

    Each pass has a seed of its own, so the order at any point is known without the ones before.
    """
    passes = range(start // size, (start + count - 1) // size + 1)
    generator = torch.Generator()
    order = torch.cat(
        [torch.randperm(size, generator=generator.manual_seed(seed * 10**6 + p)) for p in passes]
    )
    return order[start % size :][:count].tolist()


def _batches(dataset, batch_size: int, device, order: list[int] | None = None):
    """Mini-batches of ``dataset`` on ``device``, in the given order."""
    for inputs, targets in DataLoader(dataset, batch_size=batch_size, sampler=order):
        check_batch(inputs, targets)
        yield (
            inputs.to(device, memory_format=torch.channels_last),
            targets.to(device, memory_format=torch.channels_last),
        )


def test_loss(model: nn.Module, test_set: Dataset, batch_size: int = 128, device=None) -> float:
    """Mean loss over all pairs of ``test_set``, in eval mode and without gradients.

    Weighted by batch size, so a short last batch counts by its images. The model's mode is put
    back. ``device``: where to compute, by default where the model's parameters are.
    """
    device = device or next(model.parameters()).device
    was_training = model.training
    model.eval()
    total = 0.0
    with torch.no_grad():
        for inputs, targets in _batches(test_set, batch_size, device):
            total += minibatch_loss(model, inputs, targets).item() * len(inputs)
    model.train(was_training)
    return total / len(test_set)


test_loss.__test__ = False  # its name is no invitation to pytest


def minibatch_gd(
    model: nn.Module,
    num_epochs: int,
    train_set: Dataset,
    test_set: Dataset,
    lr: float = 0.01,
    *,
    optimizer: torch.optim.Optimizer | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    batch_size: int = 32,
    steps_per_epoch: int | None = None,
    device: torch.device | str | None = None,
    seed: int = 0,
    history: History | None = None,
    on_epoch_end: Callable[[History], None] | None = None,
    progress: bool = True,
) -> History:
    """Train ``model`` in place by mini-batch gradient descent; return the losses of every epoch.

    ``train_set`` and ``test_set``: map-style datasets of ``(corrupted, original)`` pairs, each
    (1, 28, 28) in [0, 1]; a list of tuples will do. With no ``optimizer`` every parameter moves by
    ``-lr * gradient``; with one, it takes the step (and ``lr`` is not used), and ``scheduler`` is
    stepped after every mini-batch. ``steps_per_epoch`` makes an "epoch" that many mini-batches,
    whatever the size of the set: the passes over the set then follow each other without a gap.

    The order of mini-batches depends on ``seed`` and the epoch alone. To resume, restore the
    model (and optimizer and scheduler), and make the same call with the ``history`` so far: it
    goes on after the epochs in there, until ``num_epochs`` in all. ``on_epoch_end`` is called with
    the history after every epoch: the place to save or to draw.

    Interrupting the kernel prints a line and returns the history so far; the model is usable.
    Weights and images are laid out as ``torch.channels_last``, which is faster and changes no
    result. The model is left in eval mode.

    Raises ``TypeError`` or ``ValueError`` for bad input, ``FloatingPointError`` when the loss
    becomes NaN or infinite, ``torch.OutOfMemoryError`` for a batch that is too large.
    Source: Robbins and Monro 1951; Goodfellow, Bengio, Courville, "Deep Learning", section 8.3.1.
    """
    history = History() if history is None else history
    numbers = {"batch_size": batch_size, "steps_per_epoch": steps_per_epoch, "seed": seed}
    parts = {"optimizer": optimizer, "scheduler": scheduler, "history": history}
    check_training(model, num_epochs, train_set, test_set, lr, **numbers, **parts)
    device = check_device(device or next(model.parameters()).device)
    model.to(device=device, memory_format=torch.channels_last).zero_grad()
    size = len(train_set) if steps_per_epoch is None else steps_per_epoch * batch_size
    steps = math.ceil(size / batch_size)
    done = len(history.train_loss)
    bar = tqdm(
        total=num_epochs * steps,
        initial=done * steps,
        unit="step",
        file=sys.stdout,
        leave=False,
        disable=not progress,
    )
    try:
        for epoch in range(done, num_epochs):
            model.train()
            total = 0.0
            order = _epoch_order(len(train_set), seed, epoch * size, size)
            for inputs, targets in _batches(train_set, batch_size, device, order):
                loss = minibatch_loss(model, inputs, targets)
                total += loss.item() * len(inputs)
                check_loss(total, epoch, lr, optimizer)
                loss.backward()
                if optimizer is None:
                    with torch.no_grad():
                        for parameter in model.parameters():
                            if parameter.grad is not None:
                                parameter -= lr * parameter.grad
                                parameter.grad = None
                else:
                    optimizer.step()
                    optimizer.zero_grad()
                if scheduler is not None:
                    scheduler.step()
                bar.update()
            test = test_loss(model, test_set, device=device)
            check_loss(test, epoch, lr, optimizer)
            history.train_loss.append(total / size)
            history.test_loss.append(test)
            if on_epoch_end is not None:
                on_epoch_end(history)
            losses = {"train": history.train_loss[-1], "test": history.test_loss[-1]}
            bar.set_postfix(epoch=epoch + 1, **{name: f"{x:.4f}" for name, x in losses.items()})
    except KeyboardInterrupt:
        del history.train_loss[len(history.test_loss) :]  # both, or neither
        print(
            f"Interrupted in epoch {epoch + 1} of {num_epochs}: the model is usable as it is, "
            f"the history has {len(history.test_loss)} epochs."
        )
    except RuntimeError as error:
        check_memory(error, batch_size)
        raise
    finally:
        bar.close()
        model.eval()
    return history
