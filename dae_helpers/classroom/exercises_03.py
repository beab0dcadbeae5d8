"""Checks for the exercises of notebook 03: the model."""

from .exercise import exercise, formula, whole


@exercise
def convolution_size(answer):
    """Exercise 1 of notebook 03: the height of a convolution's output."""

    def values(n, kernel, stride, padding):
        steps = n + 2 * padding - kernel
        return steps // stride + 1, {
            "one too small: count the first position of the kernel too.": steps // stride,
            "the padding is added on *both* sides.": (steps - padding) // stride + 1,
            "the padding is missing.": (n - kernel) // stride + 1,
            "a size is a whole number: round down, with //.": steps / stride + 1,
        }

    cases = [(whole(12, 40), whole(2, 5), whole(1, 3), whole(0, 2)) for _ in range(8)]
    return formula(answer, cases, values)


@exercise
def transposed_size(answer):
    """Exercise 2 of notebook 03: the height of a transposed convolution's output."""

    def values(n, kernel, stride, padding):
        uncut = (n - 1) * stride + kernel
        return uncut - 2 * padding, {
            "between n copies of the kernel there are n - 1 steps.": uncut + stride - 2 * padding,
            "padding *cuts* a transposed convolution's output: subtract it.": uncut + 2 * padding,
            "padding cuts on *both* sides: subtract it twice.": uncut - padding,
            "the padding is missing.": uncut,
        }

    cases = [(whole(3, 20), whole(3, 6), whole(1, 3), whole(0, 2)) for _ in range(8)]
    return formula(answer, cases, values)


@exercise
def parameters_of_convolution(answer):
    """Exercise 3 of notebook 03: the parameters of a convolution."""

    def values(channels_in, channels_out, kernel):
        pairs = channels_in * channels_out
        weights = pairs * kernel**2
        return weights + channels_out, {
            "the biases are missing: one for each output channel.": weights,
            "a kernel has kernel * kernel weights, not kernel.": pairs * kernel + channels_out,
            "there is one bias for each *output* channel.": weights + channels_in,
            "there is a bias for *each* output channel, not one for all.": weights + 1,
        }

    cases = [(whole(2, 8), whole(9, 17), whole(2, 8)) for _ in range(8)]
    return formula(answer, cases, values)


@exercise
def receptive_field(answer):
    """Exercise 4 of notebook 03: the receptive field of a stack of layers."""

    def values(stack):
        right, early, strideless, jump = 1, 1, 1, 1
        for kernel, stride in stack:
            right += (kernel - 1) * jump
            jump *= stride
            early += (kernel - 1) * jump
            strideless += kernel - 1
        return right, {
            "the stride of a layer counts for the layers *behind* it: multiply last.": early,
            "the strides are missing: behind a stride of 2 a kernel reaches twice as far.": (
                strideless
            ),
            "start with the 1 pixel that a number sees without any layer.": right - 1,
        }

    stacks = [[(whole(1, 5), whole(1, 3)) for _ in range(whole(2, 5))] for _ in range(8)]
    return formula(answer, [(stack,) for stack in stacks], values)
