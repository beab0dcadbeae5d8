"""Where and how a network computes: device and memory layout. It leaves as it came."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from .checks import check_device, check_output, check_type
from .course import device as device_of_the_run
from .data import first_batch


@contextlib.contextmanager
def placed(model: nn.Module, device: torch.device | str | None = None) -> Iterator[torch.device]:
    """Move ``model`` to ``device`` for a while, by default to ``course.device()``; gives it.

    Afterwards the model is where it was before, with its weights laid out as before: training and
    evaluation use a GPU without anybody having to move images. Raises ``ValueError`` for a device
    that is not there.
    """
    device = check_device(device_of_the_run() if device is None else device)
    weights = list(model.parameters())
    home = weights[0].device if weights else device
    contiguous = all(x.is_contiguous() for x in weights if x.ndim == 4)
    try:
        model.to(device)
        yield device
    finally:
        layout = torch.contiguous_format if contiguous else torch.channels_last
        model.to(home, memory_format=layout)


def lay_out(model: nn.Module, images: Tensor) -> Tensor:
    """Lay out the weights for speed, if the model runs that way; returns its output for ``images``.

    ``torch.channels_last`` changes no result, but a ``view`` in the model may refuse it: then the
    weights are contiguous. The model runs in eval mode, without gradients.
    """
    model.eval()
    with torch.no_grad():
        try:
            return model.to(memory_format=torch.channels_last)(images)
        except RuntimeError:
            return model.to(memory_format=torch.contiguous_format)(images)


def try_out(
    model: nn.Module,
    sets: dict[str, Dataset],
    batch_size: int,
    optimizer: torch.optim.Optimizer | None,
    device: torch.device,
) -> None:
    """Try one mini-batch of each set before a weight moves; raises what ``minibatch_gd`` says.

    The global random numbers stay as they were.
    """
    model.zero_grad()
    if optimizer is not None and optimizer.state and device.type != "cpu":
        optimizer.load_state_dict(optimizer.state_dict())  # its state follows the weights
    with torch.random.fork_rng(devices=[]):
        for name, pairs in sets.items():
            inputs, targets = first_batch(name, pairs, batch_size)
            check_type(name, inputs, model)
            check_output(lay_out(model, inputs.to(device)), targets)
