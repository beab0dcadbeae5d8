"""Checks for the exercises of notebook 01: autoencoders."""

import torch

from .exercise import exercise, formula, judge, number, tensor, whole


@exercise
def compression_factor(answer):
    """Exercise 1 of notebook 01: how many input numbers there are for one latent number."""

    def values(height, width, latent_size):
        pixels = height * width
        return pixels / latent_size, {
            "that is upside down: input numbers divided by latent numbers.": latent_size / pixels,
            "that is rounded down: divide with / and not with //.": pixels // latent_size,
            "an image has height * width numbers, no sum of both.": (height + width) / latent_size,
        }

    return formula(answer, [(whole(20, 40), whole(20, 40), whole(2, 50)) for _ in range(8)], values)


@exercise
def error_per_image(answer):
    """Exercise 2 of notebook 01: the mean squared error of each image."""
    n, shape = whole(3, 8), (1, whole(5, 9), whole(5, 9))
    a, b = torch.rand(n, *shape), torch.rand(n, *shape)
    found, difference = tensor(answer(a, b)), (a - b).flatten(1)
    if found.ndim == 0:
        return "that is one number for the whole batch: average over dimensions 1, 2 and 3 only."
    if found.shape != (n,):
        return f"one number an image has the shape ({n},); your result has {tuple(found.shape)}."
    error, total = difference.square().mean(dim=1), difference.square().sum(dim=1)
    mistakes = {
        "square the differences: plus and minus cancel.": difference.mean(dim=1),
        "square the differences: plus and minus still cancel.": -difference.mean(dim=1),
        "that is the mean absolute error: square the differences.": difference.abs().mean(dim=1),
        "that is the root of the mean squared error: leave the root out.": error.sqrt(),
        "that is the sum over the pixels: the *mean* divides by their number.": total,
    }
    otherwise = "for each image, square the differences and take the mean over its pixels."
    return judge(found, error, mistakes, otherwise)


@exercise(hint="`components` is (K, 784): `@ components.T` encodes, `@ components` decodes.")
def pca_by_hand(answer):
    """Exercise 3 of notebook 01: reconstruction from principal components."""
    n, d, k = whole(30, 40), whole(6, 9), whole(2, 4)
    data = 3 + torch.randn(n, d).double()
    mean = 3 + torch.randn(d).double()  # not that of the data: PCA was fitted on other images
    components = torch.linalg.qr(torch.randn(d, k).double()).Q.T
    found = tensor(answer(data.numpy(), mean.numpy(), components.numpy()))

    def through(x):
        return x @ components.T @ components

    if found.shape == (n, k):
        return "these are the latents: go back with `@ components`, and add the mean."
    own, right = data.mean(dim=0), mean + through(data - mean)
    mistakes = {
        "the mean is missing: PCA describes the *differences* from it.": through(data),
        "nearly: the mean has to be added again at the end.": through(data - mean),
        "subtract the mean before you encode.": mean + through(data),
        "take the `mean` that is given, not that of these images.": own + through(data - own),
        "that is transposed: an image is a row.": right.T,
    }
    otherwise = "`(images - mean) @ components.T` encodes, `@ components` and the mean decode."
    return judge(found, right, mistakes, otherwise)


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
    itself = "each point is its own nearest neighbour: ask for k + 1 and leave out the first."
    mistakes = {itself: same[:, :k].mean()} | {
        f"that is the share for {j} neighbours, but k is {k}.": same[:, 1 : j + 1].mean()
        for j in (k - 1, k + 1, 5, 10)
    }
    otherwise = "compare the labels of the k nearest *other* points with the point's, and average."
    return judge(found, same[:, 1 : k + 1].mean(), mistakes, otherwise)
