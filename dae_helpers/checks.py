"""Checks of what a caller hands in: each raises an error that says what was expected and what came.

They stand apart so that the modules that teach something stay short.
"""

import math
import re

import torch
from torch import Tensor, nn

__all__ = [
    "check_batch",
    "check_device",
    "check_floats",
    "check_images",
    "check_input",
    "check_loss",
    "check_memory",
    "check_number",
    "check_pair",
    "check_training",
    "drawing_device",
]


def check_floats(name: str, x: Tensor, of: str = "floats") -> None:
    """Raise ``TypeError`` unless ``x`` is a tensor of floats."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} should be a torch.Tensor, but it is a {type(x).__name__}")
    if not x.is_floating_point():
        raise TypeError(
            f"{name} should hold {of}, but its type is {x.dtype}: divide 8-bit images by 255"
        )


def check_pair(output: Tensor, original: Tensor) -> None:
    """Raise ``TypeError`` unless both are tensors of floats, ``ValueError`` if shapes differ."""
    check_floats("output", output)
    check_floats("original", original)
    if output.shape != original.shape:
        raise ValueError(
            "output and original should have the same shape, "
            f"but they have {tuple(output.shape)} and {tuple(original.shape)}"
        )


def check_input(
    name: str, x: Tensor, layer: nn.Module, shape: str, channels: int, side: int = 1
) -> None:
    """Raise ``ValueError`` unless ``x`` is (N, channels, H, W), H and W at least ``side``.

    Raises ``TypeError`` for what is no tensor of the type of the weights of ``layer``.
    """
    check_floats(name, x)
    if x.ndim != 4 or x.shape[1] != channels or min(x.shape[2:]) < side:
        raise ValueError(
            f"{name} should have the shape {shape}, but their shape is {tuple(x.shape)}"
        )
    expected = layer.weight.dtype
    if x.dtype != expected and not torch.is_autocast_enabled(x.device.type):
        raise TypeError(f"{name} should be of the weights' type {expected}, not {x.dtype}")


def check_images(image: Tensor, name: str = "image") -> None:
    """Raise unless ``image`` is a float tensor (C, H, W) or (N, C, H, W) with values in [0, 1].

    Raises ``TypeError`` for something that is no float tensor, ``ValueError`` for another number
    of dimensions, an empty tensor, NaN, or values outside [0, 1].
    """
    check_floats(name, image, "floats in [0, 1]")
    if image.ndim not in (3, 4) or image.numel() == 0:
        raise ValueError(
            f"{name} should have the shape (C, H, W) or (N, C, H, W), none of them 0, "
            f"but its shape is {tuple(image.shape)}"
        )
    low, high = torch.aminmax(image.detach())
    if not (low >= 0 and high <= 1):  # written so that NaN fails too
        raise ValueError(
            f"{name} should have values in [0, 1], but they run from {low:.4g} to {high:.4g}"
        )


def check_number(
    name: str, value: float, low: float, high: float = math.inf, whole: bool = False
) -> None:
    """Raise ``TypeError`` unless ``value`` is a number, ``ValueError`` unless it is in range."""
    kind = "a whole number" if whole else "a number"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise TypeError(f"{name} should be {kind}, but it is {value!r}")
    if not (low <= value <= high and abs(value) < math.inf):
        limits = f"from {low:g} to {high:g}" if high < math.inf else f"of at least {low:g}"
        raise ValueError(f"{name} should be {kind} {limits}, but it is {value!r}")


def drawing_device(image: Tensor, generator: torch.Generator | None) -> torch.device:
    """Where random numbers for ``image`` are drawn; ``TypeError`` for what is no generator."""
    if not isinstance(generator, (torch.Generator, type(None))):
        raise TypeError(
            "generator should be a torch.Generator, such as torch.Generator().manual_seed(0), "
            f"but it is {generator!r}"
        )
    return image.device if generator is None else generator.device


def check_device(device: torch.device | str) -> torch.device:
    """Return the device; raise ``ValueError`` if it is not there, ``TypeError`` for no name."""
    try:
        torch.zeros(1, device=device).item()
    except (AssertionError, ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0].strip(". ")
        raise ValueError(
            f"device {str(device)!r} cannot be used here ({reason}): leave it out, or take "
            "dae_helpers.course.device(), which finds the best one"
        ) from error
    return torch.device(device)


def check_training(
    model,
    num_epochs,
    train_set,
    test_set,
    lr,
    batch_size,
    steps_per_epoch,
    seed,
    optimizer,
    scheduler,
    history,
) -> None:
    """Raise ``TypeError`` or ``ValueError`` for arguments that no training run can have."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model should be a torch.nn.Module, but it is a {type(model).__name__}")
    if next(model.parameters(), None) is None:
        raise ValueError("model should have parameters to train, but it has none")
    check_number("num_epochs", num_epochs, 0, whole=True)
    check_number("batch_size", batch_size, 1, whole=True)
    check_number("seed", seed, -(10**12), 10**12, whole=True)
    if steps_per_epoch is not None:
        check_number("steps_per_epoch", steps_per_epoch, 1, whole=True)
    if isinstance(lr, bool) or not isinstance(lr, (int, float)):
        raise TypeError(f"lr should be a number, but it is {lr!r}")
    if not 0 < lr < math.inf:
        raise ValueError(f"lr should be a number above 0, but it is {lr!r}")
    for name, part, has in (
        ("optimizer", optimizer, "step"),
        ("scheduler", scheduler, "step"),
        ("history", history, "train_loss"),
    ):
        if part is not None and not hasattr(part, has):
            raise TypeError(f"{name} should have .{has}, but it is {part!r}")
    if len(history.train_loss) != len(history.test_loss):
        raise ValueError(
            "history should have a train_loss and a test_loss for each epoch, but it has "
            f"{len(history.train_loss)} and {len(history.test_loss)}"
        )
    for name, dataset in {"train_set": train_set, "test_set": test_set}.items():
        if len(dataset) == 0:
            raise ValueError(f"{name} should hold (corrupted, original) pairs, but it is empty")


def check_loss(loss: float, epoch: int, lr: float, optimizer=None) -> None:
    """Raise ``FloatingPointError`` if ``loss`` is NaN or infinite; ``epoch`` counts from 0."""
    if not math.isfinite(loss):
        lr = lr if optimizer is None else optimizer.param_groups[0]["lr"]
        raise FloatingPointError(
            f"the loss became {loss} in epoch {epoch + 1} at a learning rate of {lr:.3g}: "
            "the weights ran away, so make a new model, or load saved weights, and try a smaller "
            "learning rate, a tenth of it; if that does not help, look for NaN in the images"
        )


def check_memory(error: RuntimeError, batch_size: int) -> None:
    """Raise ``torch.OutOfMemoryError`` with advice if ``error`` says that memory ran out."""
    ran_out = re.search("out of memory|not enough memory|n't allocate memory", str(error))
    if ran_out or isinstance(error, torch.OutOfMemoryError):
        raise torch.OutOfMemoryError(
            f"a batch of {batch_size} does not fit into memory: try a smaller batch_size, half of "
            f"it; the model is usable as it is ({str(error).splitlines()[0]})"
        ) from error


def check_batch(inputs: Tensor, targets: Tensor) -> None:
    """Raise ``ValueError`` unless both are batches of images (N, C, H, W)."""
    if not inputs.ndim == targets.ndim == 4:
        raise ValueError(
            "a data set should give (corrupted, original) pairs of images (C, H, W), but it "
            f"gives {tuple(inputs.shape[1:])} and {tuple(targets.shape[1:])}"
        )
