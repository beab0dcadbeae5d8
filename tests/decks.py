"""Open a deck in headless Chromium without a network, and look at every step of every slide.

``python tests/decks.py FOLDER DECK...`` keeps a picture of each slide, all fragments shown.
"""

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from browser import CHROMIUM, FLAGS, PATIENCE, watch
from playwright.sync_api import Page, sync_playwright

SIZES = ((1280, 720), (1920, 1080))
NOWHERE = ["--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"]
TEXT_LEAST, CODE_LEAST, PICTURE_LEAST = 18, 16, 100  # pixels where the slide is 1280 wide
LOOK = """
([textLeast, codeLeast, pictureLeast]) => {
  const slide = Reveal.getCurrentSlide(), scale = innerWidth / 1280, found = [];
  const start = (text) => (text || "").trim().slice(0, 60);
  const name = (e) => `<${e.tagName.toLowerCase()}> ${start(e.textContent || e.alt)}`;
  const shown = (e) => e.checkVisibility({visibilityProperty: true}) && !e.closest("aside");
  let content = 0;
  for (const e of slide.querySelectorAll("*")) {
    if (!shown(e)) continue;
    const box = e.getBoundingClientRect();
    if (e.tagName === "IMG") {
      content += 1;
      if (!(e.complete && e.naturalWidth)) found.push(`broken image: ${name(e)}`);
      else if (box.height < pictureLeast * scale) found.push(`small image: ${name(e)}`);
    }
    if (box.width * box.height === 0) continue;
    const [right, bottom] = [innerWidth + 1, innerHeight + 1];
    if (box.left < -1 || box.top < -1 || box.right > right || box.bottom > bottom)
      found.push(`leaves the slide: ${name(e)}`);
    const block = e.clientWidth && getComputedStyle(e).display !== "inline";
    if (block && e.scrollWidth > e.clientWidth + 2) found.push(`wider than its box: ${name(e)}`);
  }
  const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
    if (!text || !shown(e) || e.closest("style, script")) continue;
    content += 1;
    const code = e.closest("pre, code"), size = parseFloat(getComputedStyle(e).fontSize);
    if (!code && /\\$|\\\\[([a-zA-Z]/.test(text)) found.push(`raw formula: ${start(text)}`);
    if (size < (code ? codeLeast : textLeast) - 0.01 && !e.closest("svg, sup, sub"))
      found.push(`small text, ${size} pixels: ${start(text)}`);
  }
  if (!content) found.push("nothing on the slide");
  return found;
}"""


@dataclass
class Seen:
    """What was found in a deck."""

    slides: int = 0
    steps: int = 0
    problems: list[str] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)


@contextmanager
def browser_page(size: tuple[int, int], flags: list[str] = NOWHERE):
    """A page in a browser that reaches no other machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS + flags)
        try:
            width, height = size
            yield browser.new_page(viewport={"width": width, "height": height})
        finally:
            browser.close()


def open_deck(page: Page, deck: Path) -> list[str]:
    """Open a deck; gives a list that fills with errors and requests that leave its folder."""
    errors = watch(page, deck.resolve().parent.as_uri(), badge=False)
    page.goto(deck.resolve().as_uri())
    page.locator("body[data-ready]").wait_for(timeout=PATIENCE)
    return errors


def look(deck: Path, size: tuple[int, int], pictures: Path | None = None) -> Seen:
    """Step through a deck to its end; ``pictures`` keeps one of each slide."""
    seen = Seen()
    with browser_page(size) as page:
        errors = open_deck(page, deck)
        last = False
        while not last:
            position = page.evaluate("Reveal.getSlidePastCount() + 1")
            for problem in page.evaluate(LOOK, [TEXT_LEAST, CODE_LEAST, PICTURE_LEAST]):
                text = f"slide {position}: {problem}"
                seen.problems += [text] if text not in seen.problems else []
            seen.steps += 1
            more = page.evaluate("Reveal.availableFragments().next")
            if not more:
                seen.slides += 1
                seen.sizes.append(page.evaluate("+Reveal.getCurrentSlide().dataset.size"))
                if pictures:
                    pictures.mkdir(parents=True, exist_ok=True)
                    page.screenshot(path=pictures / f"{deck.stem}_{position:02}.png")
            last = not more and page.evaluate("Reveal.isLastSlide()")
            page.evaluate("Reveal.next()")
        seen.problems += errors
    return seen


if __name__ == "__main__":
    for name in sys.argv[2:]:
        result = look(Path(name), SIZES[0], Path(sys.argv[1]))
        print(f"{name}: {result.slides} slides, {result.steps} steps, text {result.sizes}")
        print(*result.problems, sep="\n")
