"""Checks for the exercises of notebook 01: autoencoders."""

import torch
from torch import nn

from .exercise import close, exercise, number, tensor, whole

NO_NETWORK = "return a network, such as an nn.Sequential, and not a "


@exercise
def without_relus(answer):
    """Exercise 1 of notebook 01: the same layers without ReLUs, and whether they beat PCA."""
    sizes = [whole(9, 12), whole(5, 8), 2, whole(5, 8), whole(13, 16)]
    found = answer(sizes)
    if not isinstance(found, tuple | list) or len(found) != 2:
        return "return two things: the network, and who wins."
    network, winner = found
    if not isinstance(network, nn.Module):
        return f"{NO_NETWORK}{type(network).__name__}."
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    found = [(layer.in_features, layer.out_features) for layer in layers]
    if found != list(zip(sizes, sizes[1:], strict=False)):
        return f"for the sizes {sizes} the linear layers should lead from each size to the next."
    a, b = torch.rand(2, 6, sizes[0]) * 20 - 10
    with torch.no_grad():
        middle, mean = network((a + b) / 2), (network(a) + network(b)) / 2
    if not close(middle, mean, 1e-3):
        return "something in it is not linear yet: leave out every ReLU."
    if winner == "network":
        return "have you trained it? Without ReLUs its error does not come below that of PCA."
    if winner == "PCA":
        return "nearly: train it for 600 mini-batches, and compare the errors to within 5 %."
    return None if winner == "tie" else 'the second thing is "PCA", "network" or "tie".'


@exercise(hint="`nn.init.eye_(layer.weight)` and `nn.init.zeros_(layer.bias)` set a layer.")
def copy_by_hand(answer):
    """Exercise 2 of notebook 01: an autoencoder whose weights are set so that it copies."""
    size = whole(5, 30)
    network, x = answer(size), torch.rand(4, size)
    if not isinstance(network, nn.Module):
        return f"{NO_NETWORK}{type(network).__name__}."
    kinds = [type(layer) for layer in network.modules()]
    if kinds.count(nn.Linear) != 2 or nn.ReLU not in kinds:
        return "build it of nn.Linear, nn.ReLU and nn.Linear: the point is that these can copy."
    with torch.no_grad():
        error = network(x) - x
    if close(error, torch.zeros_like(x)):
        return None
    if close(error, error[:1].expand_as(error)):
        return "nearly: the output is the input plus a constant, so a bias is not zero yet."
    if isinstance(network, nn.Sequential) and not isinstance(network[-1], nn.Linear):
        return "nothing should follow the second linear layer."
    return "it does not copy yet: which weights let output number i be input number i?"


@exercise(copies=False)
def right_half_black(answer):
    """Exercise 3 of notebook 01: another damage, and which network can repair it."""
    half = whole(3, 8)
    images = 0.1 + 0.9 * torch.rand(whole(2, 5), 1, 2 * half + 1 + whole(1, 3), 2 * half)
    before, right = images.clone(), images.clone()
    right[..., half:] = 0
    found = answer(images)
    if not torch.equal(images, before):
        return "you have changed the originals too, and so the target: clone() them first."
    if not isinstance(found, tuple | list) or len(found) != 2:
        return "return two things: the damaged images, and who wins."
    damaged, winner = tensor(found[0]), found[1]
    rows = before.clone()
    rows[..., half:, :] = 0
    mistakes = {
        "that is the left half: black out the right one.": before - right,
        "that is the lower part: the last dimension is the width.": rows,
        "nothing is damaged.": before,
    }
    for words, wrong in mistakes.items():
        if close(damaged, wrong):
            return words
    if not close(damaged, right):
        return "the right half should be 0, the left half as it was, and the shape the same."
    if winner == "convolutional":
        return "have you tried both? Its small filters do not see across half an image."
    return None if winner == "dense" else 'the second thing is "dense" or "convolutional".'


@exercise
def neighbour_agreement(answer):
    """Exercise 4 of notebook 01: how often neighbours share a label."""
    n, k = whole(50, 80), whole(2, 9)
    points, labels = torch.randn(n, 2).double(), torch.randint(3, (n,))
    order = (points[:, None] - points).norm(dim=2).argsort(dim=1)  # the point itself comes first
    same = (labels[order] == labels[:, None]).double()
    found = answer(points.numpy(), labels.numpy(), k)
    found = number(found, "that is not one number: average over the points too.")
    if not 0 <= found <= 1:
        return "the result is a share, from 0 to 1: take a mean."
    if close(found, same[:, 1 : k + 1].mean()):
        return None
    if close(found, same[:, :k].mean()):
        return "each point is its own nearest neighbour: ask for k + 1 and leave out the first."
    for j in (k - 1, k + 1, 5, 10):
        if close(found, same[:, 1 : j + 1].mean()):
            return f"that is the share for {j} neighbours, but k is {k}."
    return "compare the labels of the k nearest *other* points with the point's, and average."
