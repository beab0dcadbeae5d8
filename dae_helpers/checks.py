"""Checks of what a caller hands in: each raises an error that says what was expected and what came.

They stand apart so that the modules that teach something stay short.
"""

import math

import torch
from torch import Tensor, nn

__all__ = ["check_batch", "check_images", "check_number", "check_training"]


def check_images(image: Tensor, name: str = "image") -> None:
    """Raise unless ``image`` is a float tensor (C, H, W) or (N, C, H, W) with values in [0, 1].

    Raises ``TypeError`` for something that is no float tensor, ``ValueError`` for another number
    of dimensions, an empty tensor, NaN, or values outside [0, 1].
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"{name} should be a torch.Tensor, but it is a {type(image).__name__}")
    if not image.is_floating_point():
        raise TypeError(
            f"{name} should hold floats in [0, 1], but its type is {image.dtype}: "
            "divide 8-bit images by 255"
        )
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


def check_number(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Raise ``TypeError`` unless ``value`` is a number, ``ValueError`` unless it is in range."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} should be a number, but it is {value!r}")
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} should be a number from {low:g} to {high:g}, but it is {value!r}")


def check_training(model, num_epochs, train_set, test_set, lr, batch_size, steps_per_epoch) -> None:
    """Raise ``TypeError`` or ``ValueError`` for arguments that no training run can have."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model should be a torch.nn.Module, but it is a {type(model).__name__}")
    if next(model.parameters(), None) is None:
        raise ValueError("model should have parameters to train, but it has none")
    counts = {"num_epochs": num_epochs, "batch_size": batch_size}
    if steps_per_epoch is not None:
        counts["steps_per_epoch"] = steps_per_epoch
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError(f"{name} should be a whole number, but it is {count!r}")
        if count < (0 if name == "num_epochs" else 1):
            raise ValueError(f"{name} should be at least 1, but it is {count}")
    if isinstance(lr, bool) or not isinstance(lr, (int, float)):
        raise TypeError(f"lr should be a number, but it is {lr!r}")
    if not (lr > 0 and math.isfinite(lr)):
        raise ValueError(f"lr should be a number above 0, but it is {lr!r}")
    for name, dataset in {"train_set": train_set, "test_set": test_set}.items():
        if len(dataset) == 0:
            raise ValueError(f"{name} should hold (corrupted, original) pairs, but it is empty")


def check_batch(inputs: Tensor, targets: Tensor) -> None:
    """Raise ``ValueError`` unless both are batches of images (N, C, H, W)."""
    if not inputs.ndim == targets.ndim == 4:
        raise ValueError(
            "a data set should give (corrupted, original) pairs of images (C, H, W), but it "
            f"gives {tuple(inputs.shape[1:])} and {tuple(targets.shape[1:])}"
        )
