"""Answers to the exercises of notebook 01: right ones, and wrong ones with words that name them."""

from itertools import pairwise

import numpy as np
import torch
from exercise_row import Row
from sklearn.neighbors import NearestNeighbors
from torch import nn


def linear(sizes, winner="tie", between=()):
    layers = [layer for pair in pairwise(sizes) for layer in (nn.Linear(*pair), *between)]
    return nn.Sequential(*layers), winner


def linear_module(sizes):
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(sizes[i], sizes[i + 1]) for i in range(4))

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    return [Plain(), "tie"]


def copy(size, bias=nn.init.zeros_, weight=nn.init.eye_, last=()):
    layers = [nn.Linear(size, size), nn.Linear(size, size)]
    for layer in layers:
        weight(layer.weight)
        bias(layer.bias)
    return nn.Sequential(layers[0], nn.ReLU(), layers[1], *last)


def copy_wide(size):
    network = nn.Sequential(nn.Linear(size, 2 * size), nn.ReLU(), nn.Linear(2 * size, size))
    both = torch.cat([torch.eye(size), -torch.eye(size)])
    with torch.no_grad():
        network[0].weight.copy_(both)
        network[2].weight.copy_(both.T)
        network[0].bias *= 0
        network[2].bias *= 0
    return network


def copy_scaled(size):
    network = nn.Sequential(
        nn.Linear(size, size, bias=False), nn.ReLU(), nn.Linear(size, size, bias=False)
    )
    network[0].weight.data = 4 * torch.eye(size)
    network[2].weight.data = torch.eye(size) / 4
    return network


def half_black(images, winner="dense"):
    images = images.clone()
    images[..., images.shape[-1] // 2 :] = 0
    return images, winner


def half_masked(images):
    width = images.shape[3]
    return images * (torch.arange(width) < width / 2), "dense"


def half_in_place(images):
    images[..., images.shape[-1] // 2 :] = 0
    return images, "dense"


def lower_half(images):
    images = images.clone()
    images[:, :, images.shape[-1] // 2 :] = 0
    return images, "dense"


def neighbours(points, labels, k, itself=False, mean=np.mean):
    fitted = NearestNeighbors(n_neighbors=k + 1).fit(points)
    places = fitted.kneighbors(points)[1]
    places = places[:, :k] if itself else places[:, 1:]
    return mean(labels[places] == labels[:, None])


def neighbours_in_a_loop(points, labels, k):
    shares = []
    for i, point in enumerate(points):
        distance = ((points - point) ** 2).sum(axis=1)
        distance[i] = np.inf
        shares.append(np.mean(labels[np.argsort(distance)[:k]] == labels[i]))
    return sum(shares) / len(shares)


ROWS = {
    "without_relus": Row(
        linear,
        [
            (lambda sizes: linear(sizes, "tie", [nn.ReLU()]), "leave out every ReLU"),
            (lambda sizes: linear(sizes, "network"), "have you trained it"),
            (lambda sizes: linear(sizes, "PCA"), "compare the errors"),
            (lambda sizes: linear([sizes[0], 2, sizes[-1]]), "from each size to the next"),
            (lambda sizes: linear(sizes[:3]), "from each size to the next"),
            (lambda sizes: linear(sizes)[0], "two things"),
            (lambda sizes: (list(linear(sizes)[0]), "tie"), "such as an nn.Sequential"),
            (lambda sizes: linear(sizes, True), 'is "PCA", "network" or "tie"'),
        ],
        (linear_module,),
    ),
    "copy_by_hand": Row(
        copy,
        [
            (lambda size: copy(size, weight=lambda w: w), "does not copy yet"),
            (lambda size: copy(size, bias=lambda b: b.data.fill_(0.1)), "a bias is not zero"),
            (lambda size: copy(size, weight=nn.init.ones_), "does not copy yet"),
            (lambda size: nn.Identity(), "build it of nn.Linear"),
            (lambda size: nn.Linear(size, size), "build it of nn.Linear"),
            (lambda size: copy(size, last=[nn.Sigmoid()]), "nothing should follow"),
            (lambda size: torch.eye(size), "such as an nn.Sequential"),
        ],
        (copy_wide, copy_scaled),
    ),
    "right_half_black": Row(
        half_black,
        [
            (half_in_place, "so the target"),
            (lambda images: half_black(images, "convolutional"), "have you tried both"),
            (lambda images: (images - half_black(images)[0], "dense"), "the left half"),
            (lower_half, "the lower part"),
            (lambda images: (images, "dense"), "nothing is damaged"),
            (lambda images: half_black(images)[0], "two things"),
            (lambda images: (half_black(images)[0][..., :3], "dense"), "the shape the same"),
            (lambda images: half_black(images, 1), 'is "dense" or "convolutional"'),
        ],
        (half_masked,),
    ),
    "neighbour_agreement": Row(
        neighbours,
        [
            (lambda *args: neighbours(*args, itself=True), "its own nearest neighbour"),
            (lambda *args: 100 * neighbours(*args), "from 0 to 1"),
            (lambda points, labels, k: neighbours(points, labels, 5), "for 5 neighbours"),
            (lambda points, labels, k: neighbours(points, labels, k - 1), "neighbours, but k is"),
            (lambda *args: neighbours(*args, mean=lambda x: x.mean(axis=1)), "the points too"),
            (lambda points, labels, k: float((labels == labels[0]).mean()), "compare the labels"),
        ],
        (neighbours_in_a_loop,),
    ),
}
