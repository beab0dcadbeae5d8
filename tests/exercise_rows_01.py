"""Answers to the exercises of notebook 01: right ones, and wrong ones with words that name them."""

import numpy as np
from exercise_row import Row
from sklearn.neighbors import NearestNeighbors


def error_per_image(a, b):
    a -= b
    return a.square_().mean(dim=(1, 2, 3))


def pca(images, mean, components):
    images -= mean
    images @= components.T @ components
    images += mean
    return images


def neighbours(points, labels, k, itself=False, mean=np.mean):
    fitted = NearestNeighbors(n_neighbors=k + 1).fit(points)
    places = fitted.kneighbors(points)[1]
    places = places[:, :k] if itself else places[:, 1:]
    return mean(labels[places] == labels[:, None])


ROWS = {
    "compression_factor": Row(
        lambda height, width, latent: height * width / latent,
        [
            (lambda height, width, latent: latent / (height * width), "upside down"),
            (lambda height, width, latent: height * width // latent, "rounded down"),
            (lambda height, width, latent: (height + width) / latent, "height * width"),
            (lambda height, width, latent: height / latent, "it should be"),
        ],
    ),
    "error_per_image": Row(
        error_per_image,
        [
            (lambda a, b: (a - b).mean(dim=(1, 2, 3)), "square the differences"),
            (lambda a, b: (b - a).mean(dim=(1, 2, 3)), "square the differences"),
            (lambda a, b: error_per_image(a, b).sqrt(), "root"),
            (lambda a, b: ((a - b) ** 2).mean(), "one number for the whole batch"),
            (lambda a, b: ((a - b) ** 2).sum(dim=(1, 2, 3)), "sum over the pixels"),
            (lambda a, b: (a - b).abs().mean(dim=(1, 2, 3)), "mean absolute error"),
            (lambda a, b: ((a - b) ** 2).mean(dim=0), "one number an image"),
            (lambda a, b: ((a - b) ** 2).amax(dim=(1, 2, 3)), "take the mean over its pixels"),
        ],
    ),
    "pca_by_hand": Row(
        pca,
        [
            (lambda x, mean, components: pca(x, x.mean(axis=0), components), "that is given"),
            (lambda x, mean, components: (x - mean) @ components, "`@ components.T` encodes"),
            (lambda x, mean, components: pca(x, mean, components).T, "an image is a row"),
            (lambda x, mean, components: x @ components.T @ components + mean, "before you encode"),
            (lambda x, mean, components: x @ components.T @ components, "mean is missing"),
            (lambda x, mean, components: (x - mean) @ components.T @ components, "added again"),
            (lambda x, mean, components: (x - mean) @ components.T, "latents"),
            (lambda x, mean, components: x, "components.T` encodes"),
        ],
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
    ),
}
