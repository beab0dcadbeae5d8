"""What the tests of faults share."""

import _thread
import signal

import pytest
from fault_table import matches, rows


@pytest.fixture
def quoted(request):
    """Takes a message, which should be one that docs/reliability.md quotes for this test."""
    name = request.node.nodeid
    quotes = {
        quote
        for row in rows()
        if name in row.tests or name.partition("[")[0] in row.tests
        for quote in row.quotes
    }
    found = set()

    def check(message) -> None:
        fitting = {quote for quote in quotes if matches(quote, message)}
        assert fitting, f"{message}\nis not what docs/reliability.md quotes: {sorted(quotes)}"
        found.update(fitting)

    yield check
    unsaid = quotes - found if "[" not in name else not found
    assert not unsaid, f"docs/reliability.md quotes what was not said: {unsaid}"


@pytest.fixture
def interruptible():
    """Ctrl-C works as in a kernel, also where a shell started the tests with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.pthread_kill(_thread.get_ident(), signal.SIGINT)
    signal.signal(signal.SIGINT, before)
