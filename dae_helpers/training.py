"""The loss and the training loop: mini-batch gradient descent, written out; and a recipe for it."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from tqdm import tqdm

from .checks import (
    check_floats,
    check_loss,
    check_memory,
    check_model,
    check_number,
    check_pair,
    check_training,
    need,
)
from .data import batches, epoch_order
from .placing import placed, try_out


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


def mean_loss(model: nn.Module, pairs: Dataset) -> float:
    """Mean loss over all ``pairs``, where the model is, in eval mode and without gradients.

    Weighted by batch size, so a short last batch counts by its images. The model's mode is put
    back.
    """
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    total = 0.0
    with torch.no_grad():
        for inputs, targets in batches(pairs, 128):
            loss = minibatch_loss(model, inputs.to(device), targets.to(device))
            total += loss.item() * len(inputs)
    model.train(was_training)
    return total / len(pairs)


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

    Before it starts, model, optimizer, scheduler and data are checked against each other and one
    mini-batch is tried. It computes on ``device``, by default ``course.device()``, with weights
    laid out for speed; afterwards the model is where it was, as it was laid out, in eval mode.
    Interrupting the kernel prints a line and returns the history so far; the model is usable.

    Raises ``TypeError`` or ``ValueError`` for bad input, ``FloatingPointError`` when the loss
    becomes NaN or infinite, ``torch.OutOfMemoryError`` for a batch that is too large.
    Source: Robbins and Monro 1951; Goodfellow, Bengio, Courville, "Deep Learning", section 8.3.1.
    """
    history = History() if history is None else history
    sets = {"train_set": train_set, "test_set": test_set}
    numbers = (num_epochs, batch_size, seed, lr, steps_per_epoch)
    check_training(model, sets, *numbers, optimizer, scheduler, history)
    size = len(train_set) if steps_per_epoch is None else steps_per_epoch * batch_size
    steps, done = math.ceil(size / batch_size), len(history.train_loss)
    shown = {"unit": "step", "file": sys.stdout, "leave": False, "disable": not progress}
    bar = tqdm(total=num_epochs * steps, initial=done * steps, **shown)
    epoch = done
    try:
        with placed(model, device) as device:
            try_out(model, sets, batch_size, optimizer, device)
            for epoch in range(done, num_epochs):
                model.train()
                total = 0.0
                order = epoch_order(len(train_set), seed, epoch * size, size)
                for inputs, targets in batches(train_set, batch_size, order):
                    loss = minibatch_loss(model, inputs.to(device), targets.to(device))
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
                test = mean_loss(model, test_set)
                check_loss(test, epoch, lr, optimizer)
                history.train_loss.append(total / size)
                history.test_loss.append(test)
                if on_epoch_end is not None:
                    on_epoch_end(history)
                bar.set_postfix_str(f"epoch={epoch + 1}, train={total / size:.4f}, test={test:.4f}")
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


def dark_start(model: nn.Module, images: Tensor) -> nn.Module:
    """Let an untrained model with a sigmoid at its end start at the mean brightness of ``images``.

    Sets the bias of its last layer that has one to the logit of the mean, about -1.9 for MNIST's
    digits, in place; ``images``: any shape, values in [0, 1], neither all 0 nor all 1. Returns the
    model. Why: notebook 04. Raises ``TypeError`` for what is no model or no tensor of floats,
    ``ValueError`` if no layer has a bias or the mean is not between 0 and 1.
    """
    check_model(model)
    check_floats("images", images)
    mean = images.mean()
    need(0 < mean < 1, f"images should have a mean between 0 and 1, but it is {mean:.4g}")
    biased = [layer for layer in model.modules() if getattr(layer, "bias", None) is not None]
    need(biased, "model should have a layer with a bias at its end, but none has one")
    nn.init.constant_(biased[-1].bias, torch.logit(mean).item())
    return model


def cycle(model: nn.Module, steps: int, lr: float = 2e-2) -> dict:
    """AdamW and one cycle of its rate, up to ``lr`` and down to 0 in ``steps`` mini-batches.

    Returns ``{"optimizer": ..., "scheduler": ...}``, which ``minibatch_gd`` takes by keyword.
    Source: Loshchilov and Hutter 2019, arXiv 1711.05101; Smith and Topin 2018, arXiv 1708.07120.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    return {"optimizer": optimizer, "scheduler": schedule}


def one_cycle(
    model: nn.Module,
    train_set: Dataset,
    test_set: Dataset,
    steps: int,
    lr: float = 2e-2,
    batch_size: int = 16,
    parts: int = 1,
    **options,
) -> History:
    """Train by the recipe of notebook 04: AdamW, one cycle up to ``lr``, small mini-batches.

    ``steps``: mini-batches in all, whatever the size of the set; after each of ``parts`` equal
    parts of them the history gets a number. A rate this high needs ``dark_start`` before it, for
    a model with a sigmoid at its end. Further ``options`` go to ``minibatch_gd``, which says what
    is raised; ``ValueError`` too if ``parts`` does not divide ``steps``.
    """
    check_model(model)
    check_number("parts", parts, 1, whole=True)
    need(steps % parts == 0, f"steps should be a multiple of parts, but {steps} is not of {parts}")
    options |= {"batch_size": batch_size, "steps_per_epoch": steps // parts}
    return minibatch_gd(model, parts, train_set, test_set, **cycle(model, steps, lr), **options)
