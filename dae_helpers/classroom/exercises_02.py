"""Checks for the exercises of notebook 02: noise."""

from statistics import NormalDist

import torch

from .exercise import Wrong, close, exercise, formula, real, tensor, whole


@exercise
def clamped_mean(answer):
    """Exercise 1 of notebook 02: the mean of a clamped noisy pixel of any grey."""

    def parts(grey, variance):
        noisy = NormalDist(grey, variance**0.5)
        inside = grey * (noisy.cdf(1) - noisy.cdf(0)) + variance * (noisy.pdf(0) - noisy.pdf(1))
        return inside, 1 - noisy.cdf(1)

    def values(grey, variance):
        return sum(parts(grey, variance)), {
            "that is the mean *without* clamping.": grey,
            "the pixels that were clamped to 1 are missing.": parts(grey, variance)[0],
            "that takes the variance for the standard deviation.": sum(parts(grey, variance**2)),
        }

    sides = 3 * [(0, 0.3), (0.7, 1)]  # in the middle, clamping hardly moves the mean
    cases = [(real(*side), real(0.05, 0.3)) for side in sides]
    return formula(answer, cases, values, tolerance=0.005)


@exercise
def keeps_the_mean(answer):
    """Exercise 2 of notebook 02: a corruption whose mean survives in [0, 1]."""
    greys = [0.0, 1.0, real(0.05, 0.2), real(0.8, 0.95), real(0.35, 0.65)]
    images = torch.tensor(greys).reshape(-1, 1, 1, 1).repeat(1, 1, 200, 200)

    def noisy(seed):
        return tensor(answer(images, torch.Generator().manual_seed(seed))).clone()

    found = noisy(1)
    if found.shape != images.shape:
        return f"the shape should stay {tuple(images.shape)}, but it is {tuple(found.shape)}."
    if found.min() < 0 or found.max() > 1:
        return f"values run from {found.min():.2f} to {found.max():.2f}: [0, 1] is all there is."
    means = found.mean(dim=(1, 2, 3)).tolist()
    for grey, mean in zip(greys, means, strict=True):
        if grey == 0 < mean:
            return f"black becomes {mean:.3f} on average: a mean of 0 allows for nothing but 0."
        if grey == 1 > mean:
            return f"white becomes {mean:.3f} on average: a mean of 1 allows for nothing but 1."
        if not close(mean, grey, 0.012):
            return f"a pixel of {grey} becomes {mean:.3f} on average: the mean should stay."
    if (spread := found[4].std()) < 0.1:
        return f"a pixel of {greys[4]} hardly changes: its spread {spread:.3f} is below 0.1."
    if not torch.equal(found, noisy(1)) or torch.equal(found, noisy(2)):
        return "the noise should depend on the generator alone: hand it on."
    return None


@exercise
def fresh_pair(answer):
    """Exercise 3 of notebook 02: fresh noise that does not depend on the order of visits."""
    images = torch.full((whole(6, 9), 1, 12, 12), 0.5)
    marked = images * torch.linspace(0.5, 1, len(images)).reshape(-1, 1, 1, 1)

    def corrupted(images, index, visit, seed):
        pair = answer(images, index, visit, seed)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise Wrong("return two tensors, (corrupted, original).")
        if close(pair[0], images[index]) and not close(pair[1], images[index]):
            raise Wrong("the other way round: (corrupted, original).")
        if not close(pair[1], images[index]):
            raise Wrong("the second of the pair should be the original, images[index].")
        return tensor(pair[0]).clone()

    seed, index, visit = whole(0, 50), whole(1, 2), whole(3, 4)
    corrupted(marked, index, visit, seed)
    first = corrupted(images, index, visit, seed)

    def same(index, visit, seed):
        return torch.equal(first, corrupted(images, index, visit, seed))

    if close(first, images[index]):
        return "the first of the pair has no noise."
    if not same(index, visit, seed):
        return "asked twice for the same visit it gives other noise: seed a generator inside."
    if same(index, visit + 1, seed):
        return "every visit gets the same noise: that is noise drawn once."
    if same(index + 1, visit, seed):
        return "all pictures get the same noise: let it depend on the index too."
    if same(index, visit, seed + 1):
        return "another seed gives the same noise: let it depend on the seed too."
    others = [(index + k, visit - k, seed) for k in (1, 2)] + [(visit, index, seed)]
    others += [(index + 1, visit, seed - 1), (index, visit + 1, seed - 1)]
    if any(same(*other) for other in others):
        return "picture 1 at visit 2 should not get the noise of picture 2 at visit 1: a sum meets."
    return None


@exercise
def cheapest_square(answer):
    """Exercise 4 of notebook 02: the black square that fools a reader at the highest PSNR."""
    size, side = whole(4, 6), 14
    known = torch.nn.functional.interpolate(torch.rand(8, 1, 4, 4), side, mode="bilinear")

    def read(images):  # the nearest of the known pictures
        return torch.cdist(images.float().flatten(1), known.flatten(1)).argmin(dim=1)

    costs = []
    while not len(costs):  # until some square fools the reader, and some does not
        mix = real(0.55, 0.75)
        image = mix * known[0] + (1 - mix) * known[whole(1, 7)]
        squares = []
        for top in range(side - size + 1):
            for left in range(side - size + 1):
                square = image.clone()
                square[:, top : top + size, left : left + size] = 0
                squares.append(square)
        squares = torch.stack(squares)
        errors = (squares - image).square().mean(dim=(1, 2, 3))
        fooled = read(squares) != 0
        costs = errors[fooled] if read(image[None]) == 0 and 0 < fooled.sum() else []
    found = tensor(answer(image, 0, size, read)).reshape(-1)
    if found.numel() != image.numel():
        return "return one picture of the shape (1, H, W), with the square in it."
    places = (squares.flatten(1) - found).abs().amax(dim=1)
    if places.min() > 1e-5:
        black, before = int((found == 0).sum()), int((image == 0).sum())
        if black > before + size**2:
            return "more than one square is black: start from a copy of the image at each place."
        return f"it should be the image with one black square of {size} x {size} pixels."
    place = places.argmin()
    if not fooled[place]:
        return "the reader still reads it right."
    if errors[place] > costs.min() + 1e-6:
        found, best = (-10 * error.log10() for error in (errors[place], costs.min()))
        return f"fooled, at {found:.1f} dB; another square does it at {best:.1f} dB."
    return None
