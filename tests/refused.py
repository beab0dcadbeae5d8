"""Bad input is refused, in words: what tests that go through many bad inputs share."""


def refused(error: type[Exception], words, call, *args, **kwargs) -> str:
    """The message of the error with which ``call`` refuses this input; it holds all ``words``."""
    case = f"{getattr(call, '__name__', call)}, {args}, {kwargs}"
    try:
        call(*args, **kwargs)
    except Exception as caught:
        said = str(caught)
        assert isinstance(caught, error), f"{type(caught).__name__} ({said}) from {case}"
    else:
        raise AssertionError(f"{error.__name__} expected from {case}")
    missing = [word for word in words if word not in said]
    assert not missing, f"{missing} not in the message {said!r} of {case}"
    return said
