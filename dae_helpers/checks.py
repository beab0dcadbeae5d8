"""Checks of what a caller hands in: each raises an error that says what was expected and what came.

They stand apart so that the modules that teach something stay short.
"""

import inspect
import math
import re
import sys
from collections.abc import Callable
from multiprocessing.context import get_spawning_popen

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.optim import LBFGS, Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from torch.utils.data import DataLoader, IterableDataset


def need(condition: bool, message: str, error: type[Exception] = ValueError) -> None:
    """Raise ``error`` with ``message`` unless ``condition``."""
    if not condition:
        raise error(message)


def shape(x) -> tuple[int, ...]:
    """The shape of a tensor as a plain tuple, which reads better in a message."""
    return tuple(getattr(x, "shape", ()))


def looks_like_bytes(values) -> bool:
    """Whether values look like 8-bit ones, 0 to 255, and not like floats around [0, 1]."""
    return bool(values.min() >= 0 and values.max() > 10)


# Tensors and numbers


def check_floats(name: str, x: Tensor, of: str = "floats") -> None:
    """Raise ``TypeError`` unless ``x`` is a tensor of floats."""
    what = f"{name} should be a torch.Tensor, but it is a {type(x).__name__}"
    need(isinstance(x, Tensor), what, TypeError)
    what = f"{name} should hold {of}, but its type is {x.dtype}: divide 8-bit images by 255"
    need(x.is_floating_point(), what, TypeError)


def check_pair(output: Tensor, original: Tensor) -> None:
    """Raise ``TypeError`` unless both are tensors of floats, ``ValueError`` if shapes differ."""
    check_floats("output", output)
    check_floats("original", original)
    what = "output and original should have the same shape, but they have"
    need(output.shape == original.shape, f"{what} {shape(output)} and {shape(original)}")


def check_images(image: Tensor, name: str = "image") -> None:
    """Raise unless ``image`` is a float tensor (C, H, W) or (N, C, H, W) with values in [0, 1].

    Raises ``TypeError`` for something that is no float tensor, ``ValueError`` for another number
    of dimensions, an empty tensor, NaN, values outside [0, 1], or (N, H, W) that would be read as
    (C, H, W): three dimensions are one image of 1, 3 or 4 channels.
    """
    check_floats(name, image, "floats in [0, 1]")
    what = f"{name} should have the shape (C, H, W) or (N, C, H, W), none of them 0, but its shape"
    need(image.ndim in (3, 4) and image.numel() > 0, f"{what} is {shape(image)}")
    what = f"{name} of shape {shape(image)} would be one image of {image.shape[0]} channels: for "
    what += "a batch of grey images write images.unsqueeze(1), which is (N, 1, H, W)"
    need(image.ndim == 4 or image.shape[0] in (1, 3, 4), what)
    low, high = torch.aminmax(image.detach())
    what = f"{name} should have values in [0, 1], but they run from {low:.4g} to {high:.4g}"
    hint = ": divide 8-bit values by 255" if low >= 0 and high > 10 else ""
    need(low >= 0 and high <= 1, what + hint)  # NaN fails too


def check_batch(name: str, images: Tensor) -> None:
    """Raise unless ``images`` is a batch (N, C, H, W) as ``check_images`` wants it."""
    check_images(images, name)
    what = (
        f"{name} should have the shape (N, C, H, W), but it is {shape(images)}: (N, H, W) becomes "
    )
    need(images.ndim == 4, what + "that by unsqueeze(1), a single image by unsqueeze(0)")


def check_number(
    name: str, value: float, low: float, high: float = math.inf, whole: bool = False
) -> None:
    """Raise ``TypeError`` unless ``value`` is a number, ``ValueError`` unless it is in range."""
    kind = "a whole number" if whole else "a number"
    right = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    need(right, f"{name} should be {kind}, but it is {value!r}", TypeError)
    limits = f"from {low:g} to {high:g}" if high < math.inf else f"of at least {low:g}"
    right = low <= value <= high and abs(value) < math.inf
    need(right, f"{name} should be {kind} {limits}, but it is {value!r}")


# Networks


def check_type(name: str, x: Tensor, model: nn.Module) -> None:
    """Raise ``TypeError`` unless ``x`` is of the type of the model's weights."""
    expected = next(model.parameters(), x).dtype
    what = f"{name} should be of the weights' type {expected}, not {x.dtype}: convert them, "
    right = x.dtype == expected or torch.is_autocast_enabled(x.device.type)
    need(right, f"{what}.to({expected})", TypeError)


def check_input(
    name: str, x: Tensor, layer: nn.Module, expected: str, channels: int, side: int = 1
) -> None:
    """Raise ``ValueError`` unless ``x`` is (N, channels, H, W), H and W at least ``side``.

    Raises ``TypeError`` for what is no tensor of the type of the weights of ``layer``.
    """
    check_floats(name, x)
    right = x.ndim == 4 and x.shape[1] == channels and min(x.shape[2:]) >= side
    need(right, f"{name} should have the shape {expected}, but their shape is {shape(x)}")
    check_type(name, x, layer)


def check_sides(images: Tensor, multiple: int, rest: int = 0) -> None:
    """Raise ``ValueError`` unless H and W of (N, C, H, W) are ``rest`` + k * ``multiple``."""
    sides = [side for side in shape(images)[2:] if side >= multiple]
    near = "x".join(str(round((side - rest) / multiple) * multiple + rest) for side in sides)
    what = f"images should have H and W that are {f'{rest} more than ' if rest else ''}multiples of"
    what += f" {multiple}, such as {near}, but their shape is {shape(images)}: pad or crop them"
    what += ", or take SkipDenoiser, which takes all multiples of 4" if rest else ""
    need(all(side % multiple == rest for side in sides), what)


def check_model(model: nn.Module) -> None:
    """Raise ``TypeError`` unless ``model`` is a network, ``ValueError`` if its layers are lazy."""
    name = getattr(model, "__name__", "")
    what = f"model should be a network, but it is the class {name}: call it, {name}()"
    need(not isinstance(model, type), what, TypeError)
    what = f"model should be a torch.nn.Module, but it is a {type(model).__name__}"
    need(isinstance(model, nn.Module), what, TypeError)
    lazy = any(isinstance(parameter, UninitializedParameter) for parameter in model.parameters())
    what = "model has lazy layers, which have no weights yet: call it on one batch, model(images), "
    need(not lazy, what + "and make the optimizer after that")


def check_output(output: Tensor, expected: Tensor) -> None:
    """Raise unless a model's output is one tensor of the shape of ``expected``."""
    what = f"the model should return one tensor of images, but it returns {describe(output)}: "
    need(isinstance(output, Tensor), what + "let its forward return the images alone", TypeError)
    what = f"the model should return images of the shape {shape(expected)}, but it returns "
    what += f"{shape(output)}: pad or crop the images to a size that it keeps, or take SkipDenoiser"
    need(output.shape == expected.shape, what + ", which keeps all multiples of 4")


def check_device(device: torch.device | str) -> torch.device:
    """Return the device; raise ``ValueError`` if it is not there, ``TypeError`` for no name."""
    try:
        torch.zeros(1, device=device).item()
    except (AssertionError, ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0].strip(". ")
        raise ValueError(
            f"device {str(device)!r} cannot be used here ({reason}): leave it out, and DAE_DEVICE "
            "too, then course.device() finds the best one"
        ) from error
    return torch.device(device)


# Noise


def drawing_device(image: Tensor, generator: torch.Generator | None) -> torch.device:
    """Where random numbers for ``image`` are drawn; ``TypeError`` for what is no generator."""
    what = "generator should be a torch.Generator, such as torch.Generator().manual_seed(0), but it"
    right = generator is None or isinstance(generator, torch.Generator)
    need(right, f"{what} is {generator!r}", TypeError)
    return image.device if generator is None else generator.device


def check_noise(noise: Callable) -> None:
    """Raise ``TypeError`` unless ``noise`` can be called as ``noise(images, generator=...)``.

    In a worker process that is being spawned, also for a function that it could not find.
    """
    try:
        call = noise.forward if isinstance(noise, nn.Module) else noise
        inspect.signature(call).bind(None, generator=None)
    except (TypeError, ValueError) as error:
        what = f"noise should be called as noise(images, generator=...), but {noise!r} cannot"
        how = "wrap it, lambda images, generator=None: yours(images)"
        raise TypeError(f"{what} ({error}): {how}") from None
    in_cell = getattr(noise, "__module__", "") == "__main__"
    in_cell &= not hasattr(sys.modules["__main__"], "__file__")
    lost = in_cell or "<" in getattr(noise, "__qualname__", "")  # <lambda>, <locals>
    what = f"a worker of the DataLoader cannot find the noise {noise!r}, which is a lambda or was "
    what += "defined in a cell: take num_workers=0, or import the function from a file"
    need(not (lost and get_spawning_popen()), what, TypeError)


# Training


def check_training(
    model, sets, num_epochs, batch_size, seed, lr, steps_per_epoch, optimizer, scheduler, history
) -> None:
    """Raise ``TypeError`` or ``ValueError`` for arguments that no training run can have.

    They are checked alone, then against each other.
    """
    check_model(model)
    check_number("num_epochs", num_epochs, 0, whole=True)
    check_number("batch_size", batch_size, 1, whole=True)
    check_number("seed", seed, -(10**12), 10**12, whole=True)
    check_number(
        "steps_per_epoch", 1 if steps_per_epoch is None else steps_per_epoch, 1, whole=True
    )
    check_number("lr", lr, 0)
    need(lr > 0, f"lr should be a number above 0, but it is {lr!r}")
    what = "model should have parameters to train, but it has none, or all are frozen: "
    thawed = any(parameter.requires_grad for parameter in model.parameters())
    need(thawed, what + "model.requires_grad_(True) thaws them")
    what = f"history should be a History, or have .train_loss, but it is {history!r}"
    need(hasattr(history, "train_loss"), what, TypeError)
    done, tested = len(history.train_loss), len(history.test_loss)
    what = "history should have a train_loss and a test_loss for each epoch, but it has"
    need(done == tested, f"{what} {done} and {tested}")
    for name, pairs in sets.items():
        check_set(name, pairs)
    steps = steps_per_epoch or math.ceil(len(sets["train_set"]) / batch_size)
    check_optimizer(model, optimizer)
    check_scheduler(optimizer, scheduler, (num_epochs - done) * steps)
    if done and done >= num_epochs:
        print(f"The history has {done} epochs, and num_epochs is {num_epochs}: nothing left to do.")


def check_kind(name: str, part, kind: type, made_from: str) -> None:
    """Raise ``TypeError`` unless ``part`` is a ``kind``, not a class of that kind."""
    called = getattr(part, "__name__", "")
    what = f"{name} should be made, but it is the class {called}: write {called}({made_from}, ...)"
    need(not isinstance(part, type), what, TypeError)
    what = f"{name} should be a torch.optim one, with .step, but it is {part!r}"
    need(isinstance(part, kind), what, TypeError)


def check_optimizer(model: nn.Module, optimizer: Optimizer | None) -> None:
    """Raise unless the optimizer moves parameters of this model, and of no other."""
    if optimizer is None:
        return
    check_kind("optimizer", optimizer, Optimizer, "model.parameters()")
    what = "optimizer should take one gradient a step, but LBFGS asks for the loss several times: "
    need(not isinstance(optimizer, LBFGS), what + "take torch.optim.AdamW or SGD", TypeError)
    ours = {id(parameter) for parameter in model.parameters()}
    theirs = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    right = ours.issuperset(map(id, theirs)) and any(p.requires_grad for p in theirs)
    what = "the optimizer does not hold this model's parameters: make it again after the model"
    need(right, what)


def check_scheduler(optimizer, scheduler: LRScheduler | None, steps: int) -> None:
    """Raise unless the schedule is of this optimizer and lasts for ``steps`` mini-batches."""
    if scheduler is None:
        return
    check_kind("scheduler", scheduler, LRScheduler, "optimizer")
    what = "ReduceLROnPlateau looks at a loss after each epoch: leave scheduler out and write "
    what += "on_epoch_end=lambda history: scheduler.step(history.test_loss[-1])"
    need(not isinstance(scheduler, ReduceLROnPlateau), what, TypeError)
    what = "the scheduler sets the rate of an optimizer that is not the one given: give both, and "
    what += "make the scheduler again after the optimizer"
    need(optimizer and getattr(scheduler, "optimizer", optimizer) is optimizer, what)
    left = getattr(scheduler, "total_steps", math.inf) - scheduler.last_epoch
    what = f"the schedule has {left} steps left, but {steps} mini-batches are to come: make it with"
    need(steps <= left, f"{what} total_steps={steps}, and the optimizer before it")


def check_set(name: str, pairs) -> None:
    """Raise unless ``pairs`` has a length above 0 and can be indexed."""
    what = f"{name} should be a data set, but it is a DataLoader: give its .dataset, mini-batches "
    need(not isinstance(pairs, DataLoader), what + "of batch_size are made here", TypeError)
    listed = hasattr(pairs, "__len__") and hasattr(pairs, "__getitem__")
    what = f"{name} should hold (corrupted, original) pairs, with a length and an index, but it is "
    what += f"a {type(pairs).__name__}: make a list of pairs, list(...), of what can be iterated"
    need(listed and not isinstance(pairs, (IterableDataset, dict, str)), what, TypeError)
    need(len(pairs) > 0, f"{name} should hold (corrupted, original) pairs, but it is empty")


def describe(batch) -> str:
    """A mini-batch in words, as one item of it: the shapes of tensors, the keys of a dict."""
    if isinstance(batch, dict):
        return "a dict of " + ", ".join(map(repr, batch))
    if isinstance(batch, (list, tuple)):
        return f"{len(batch)} values ({', '.join(map(describe, batch))})"
    tensor = isinstance(batch, Tensor)
    return f"a tensor {shape(batch)[1:]}" if tensor else f"a {type(batch).__name__}"


def check_pairs(name: str, batch) -> None:
    """Raise unless a mini-batch is a pair of tensors of images (N, C, H, W), floats, not 0..255."""
    right = isinstance(batch, (list, tuple)) and len(batch) == 2
    right = right and all(isinstance(part, Tensor) for part in batch)
    what = f"{name} should give (corrupted, original) pairs of tensors, but an item is "
    what += f"{describe(batch)}: make a list, [(corrupted, original) for ... in data], or give "
    need(right, what + "images alone to CorruptedDigits", TypeError)
    what = f"{name} should give (corrupted, original) pairs of images (C, H, W), but it gives "
    what += f"{shape(batch[0])[1:]} and {shape(batch[1])[1:]}"
    need(batch[0].ndim == batch[1].ndim == 4, what)
    check_floats(f"the inputs of {name}", batch[0])
    check_floats(f"the originals of {name}", batch[1])
    what = f"{name} should give originals in [0, 1], but they run up to {batch[1].max():.4g}: "
    need(not looks_like_bytes(batch[1]), what + "divide by 255")


def check_loss(loss: float, epoch: int, lr: float, optimizer=None) -> None:
    """Raise ``FloatingPointError`` if ``loss`` is NaN or infinite; ``epoch`` counts from 0."""
    lr = lr if optimizer is None else optimizer.param_groups[0]["lr"]
    what = f"the loss became {loss} in epoch {epoch + 1} at a learning rate of {lr:.3g}: the "
    what += "weights ran away, so make a new model, or load saved weights, and try a smaller "
    what += "learning rate, a tenth of it; if that does not help, look for NaN in the images"
    need(math.isfinite(loss), what, FloatingPointError)


def check_memory(error: RuntimeError, batch_size: int) -> None:
    """Raise ``torch.OutOfMemoryError`` with advice if ``error`` says that memory ran out."""
    ran_out = re.search("out of memory|not enough memory|n't allocate memory", str(error))
    if ran_out or isinstance(error, torch.OutOfMemoryError):
        raise torch.OutOfMemoryError(
            f"a batch of {batch_size} does not fit into memory: try a smaller batch_size, half of "
            f"it; the model is usable as it is ({str(error).splitlines()[0]})"
        ) from error
