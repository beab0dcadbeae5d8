"""Decks and handouts need no network, and in a browser all of every slide is seen."""

from importlib.util import find_spec

import make_editions
import make_slides
import nbformat
import pytest
from browser import CHROMIUM, PATIENCE, jupyterlab, watch
from decks import SIZES, browser_page, look
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_checks import NOTEBOOKS, read
from run_notebooks import METADATA

by_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
SLIDE = {"slideshow": {"slide_type": "slide"}}


def picture_cell(lines, *tags):
    output = new_output("display_data", {"image/png": "AAAA"})
    return new_code_cell("\n\n".join("a" * lines), outputs=[output], metadata={"tags": [*tags]})


def test_code_stays_on_the_slide_unless_its_picture_needs_the_room():
    only = make_slides.only_output
    assert not only(picture_cell(6)) and only(picture_cell(7)) and only(picture_cell(1, "explorer"))
    assert not only(new_code_cell("a\n" * 15))
    assert only(new_code_cell("a", metadata={"tags": ["output-only"]}))


@by_notebook
def test_quiz_becomes_a_slide_a_question(path):
    cells = make_slides.prepared(read(path)).cells
    asked = [cell for cell in cells if "Quick question " in str(cell.get("outputs"))]
    assert len(asked) >= 4
    for cell in asked:
        html = cell.outputs[0].data["text/html"]
        assert html.count('class="fragment"') == 1 and "<details" not in html
        assert "Answer" not in html and "Right." in html


# From here on in a browser.


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not CHROMIUM:
        pytest.skip("skipped: no Chromium")
    if not find_spec("sphinx_revealjs"):
        pytest.skip("skipped: no reveal.js; `make slides` installs it")
    return tmp_path_factory.mktemp("slides")


@pytest.mark.slow
@by_notebook
def test_deck(path, folder):
    deck = make_slides.write(path, folder)
    for size in SIZES:
        seen = look(deck, size)
        print(f"\n{deck.name} at {size}: {seen.slides} slides, {seen.steps} steps", end=" ")
        assert not seen.problems, "\n".join(seen.problems)
        assert seen.slides >= 15 and seen.steps > seen.slides


def text(source):
    return [new_markdown_cell(source, metadata=SLIDE)]


def code(source):
    return [new_code_cell(source, metadata=SLIDE)]


BROKEN = {
    "nothing wrong": (text("# A title\n\nA formula, $x^2$, and `$code`."), None),
    "overlong text": (text("A paragraph.\n\n" * 30), "leaves the slide"),
    "overlong code": (code("a = 1\n" * 40), "leaves the slide"),
    "wide code": (code("a = '" + "a" * 150 + "'"), "wider than its box"),
    "wide table": (text("| a |\n|---|\n| " + "a" * 200 + " |"), "leaves the slide"),
    "raw formula": (text("<p>This is $x^2$.</p>"), "raw formula"),
    "raw LaTeX": (text(r"<p>This is \(x\).</p>"), "raw formula"),
    "broken image": (text('<img src="data:image/png;base64,AAAA">'), "broken image"),
    "missing image": (text('<img src="no_such_file.png">'), "broken image"),
    "outside image": (text('<img src="https://example.org/a.png">'), "a request to https://ex"),
    "outside script": (text('<script src="https://example.org/a.js"></script>a'), "a request to"),
    "file elsewhere": (text('<img src="../../elsewhere.png">'), "a request to file:"),
    "error": (text("<script>undefined.a</script>\n\na"), "error on the page"),
    "console": (text('<script>console.error("so")</script>\n\na'), "console: so"),
    "small text": (text('<p style="font-size: 12px">a</p>'), "small text"),
    "small code": (text('<pre><b style="font-size: 12px">a</b></pre>'), "small text"),
    "small image": (text('<img style="height: 9px !important" src="{png}">'), "small image"),
    "empty": (text("<p></p>"), "nothing on the slide"),
}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAAB"
PNG += "JRU5ErkJggg=="  # one pixel


@pytest.mark.slow
@pytest.mark.parametrize(("cells", "problem"), BROKEN.values(), ids=BROKEN)
def test_broken_slide_is_noticed(cells, problem, folder, tmp_path):
    nb = new_notebook(cells=text("# First") + cells)
    for cell in nb.cells:
        cell.source = cell.source.replace("{png}", f"data:image/png;base64,{PNG}")
    nbformat.write(nb, tmp_path / "broken.ipynb")
    seen = look(make_slides.write(tmp_path / "broken.ipynb", folder), SIZES[0])
    assert seen.slides == 2
    if problem is None:
        assert seen.problems == []
    else:
        assert any(problem in found for found in seen.problems), seen.problems


@pytest.mark.slow
def test_speaker_notes_open_and_show_the_note(folder):
    deck = make_slides.write(NOTEBOOKS[0], folder)
    with browser_page(SIZES[0]) as page:
        errors = watch(page, folder.as_uri(), badge=False)
        page.goto(deck.as_uri())
        page.locator("body[data-ready]").wait_for()
        with page.expect_popup() as opened:
            page.keyboard.press("s")
        notes = opened.value.locator(".speaker-controls-notes .value")
        notes.get_by_text("minutes").first.wait_for()
        assert "<details" not in notes.inner_html()
    assert errors == []


@pytest.mark.slow
def test_cells_run_on_live_slides(folder, tmp_path):
    if not find_spec("jupyterlab_rise"):
        pytest.skip("skipped: no jupyterlab-rise; `make present` installs it")
    nb = new_notebook(cells=text("# First") + code("print(6 * 7)"), metadata=METADATA)
    nbformat.write(nb, tmp_path / "live.ipynb")
    (tmp_path / "rise.css").write_bytes((NOTEBOOKS[0].parent / "rise.css").read_bytes())
    with jupyterlab(tmp_path, tmp_path / "state") as address, browser_page(SIZES[0], []) as page:
        errors = watch(page, address, badge=False)
        page.goto(f"{address}/rise/live.ipynb")
        heading = page.locator("section.present h1", has_text="First")
        heading.wait_for(timeout=PATIENCE)
        size = heading.evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)")
        page.keyboard.press("Space")
        page.locator("section.present .cm-content").click()
        output = page.locator("section.present .jp-OutputArea-output", has_text="42")
        for _ in range(PATIENCE // 1000):
            page.keyboard.press("ControlOrMeta+Enter")  # does nothing until there is a kernel
            page.wait_for_timeout(1000)
            if output.count():
                break
        assert output.count() == 1, "the cell did not run"
    assert size == 44, "the size that notebooks/rise.css asks for"
    assert [error for error in errors if "a request to" in error] == []


@pytest.mark.slow
@by_notebook
def test_handout_is_printed_whole(path, tmp_path):
    if not CHROMIUM:
        pytest.skip("skipped: no Chromium")
    handout = make_editions.write("handout", path, tmp_path)
    with browser_page((680, 1000)) as page:  # A4 without its margins
        errors = watch(page, tmp_path.as_uri(), badge=False)
        page.goto(handout.as_uri())
        page.emulate_media(media="print")
        clipped = page.evaluate(
            "[...document.querySelectorAll('pre, table, img, .jp-OutputArea-output')]"
            ".filter((e) => e.scrollWidth > e.clientWidth + 2 ||"
            " e.getBoundingClientRect().right > innerWidth + 1)"
            ".map((e) => e.tagName + ' ' + e.textContent.slice(0, 60))"
        )
    assert clipped == [] and errors == []
    assert make_editions.print_pdf(handout)
    assert handout.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
