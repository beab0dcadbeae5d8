"""The table of faults in docs/reliability.md, as the tests read it."""

import re
from dataclasses import dataclass

from notebook_checks import ROOT

TABLE = ROOT / "docs" / "reliability.md"


@dataclass
class Row:
    """One fault: what happens, the messages quoted there, and the tests that make it happen."""

    fault: str
    happens: str
    tests: list[str]

    @property
    def quotes(self) -> list[str]:
        """The quoted messages: code in the second column; … stands for any text."""
        return re.findall(r"`([^`]+)`", self.happens)


def rows() -> list[Row]:
    """All rows of all tables on the page."""
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and (tests := re.findall(r"`(tests/[^`]+::[^`]+)`", cells[2])):
            found.append(Row(cells[0], cells[1], tests))
    return found


def matches(quote: str, message: str) -> bool:
    """Whether the message is the quoted one; a line break counts as a space."""
    pattern = ".*".join(re.escape(part) for part in quote.split("…"))
    return re.fullmatch(pattern, " ".join(str(message).split())) is not None
