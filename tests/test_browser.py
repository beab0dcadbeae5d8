"""The notebooks in JupyterLab and a real browser: controls, quiz, drawing pad, folded solutions.

``make test-browser`` runs them; they need Chromium and skip without it.
"""

import re
import shutil

import nbformat
import pytest
from browser import CHROMIUM, FLAGS, PATIENCE, jupyterlab, open_notebook, picture_of, run_all, watch
from nbformat.v4 import new_code_cell, new_notebook
from notebook_checks import NOTEBOOKS
from playwright.sync_api import TimeoutError, expect, sync_playwright

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="skipped: no Chromium"),
]
SECONDS = 20  # for a picture to follow; what it usually takes is printed
BROKEN = """
from matplotlib.figure import Figure
from dae_helpers.classroom.widgets import explore, slider

def update(value):
    assert value < 2, "broken"

explore(Figure(), update, value=slider("value", range(5), 1));
"""


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def look_at(chromium, tmp_path):
    """Opens a notebook in a JupyterLab of its own and runs it; gives page and problems."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    with jupyterlab(folder, tmp_path) as address:
        page = chromium.new_context(
            viewport={"width": 1280, "height": 900}, has_touch=True
        ).new_page()

        def look(path):
            shutil.copy(path, folder)
            problems = watch(page, address)
            open_notebook(page, address, path.name)
            run_all(page)
            return page, problems

        yield look
        page.context.close()


def top(page):
    return page.locator(".jp-WindowedPanel-outer").first.evaluate("e => e.scrollTop")


# The clock of the page: from the first event that a hand makes to the first picture after it.
WATCH = """explorer => {
    const events = ["keydown", "pointerdown", "mousedown", "touchstart", "change"];
    const times = window.dae = {};
    const begin = () => { times.begin ??= performance.now(); };
    events.forEach((name) => window.addEventListener(name, begin, {capture: true, once: true}));
    const end = () => { if (times.begin) times.end ??= performance.now(); };
    explorer.querySelector("img").addEventListener("load", end);
}"""


def changes(page, explorer, action):
    """Do something; the picture must change, its place on the page must not. Gives the seconds."""
    before, place = picture_of(explorer), (explorer.bounding_box(), top(page))
    explorer.evaluate(WATCH)
    action()
    try:
        page.wait_for_function("window.dae.end", timeout=1000 * SECONDS)
    except TimeoutError:
        raise AssertionError("the picture did not change") from None
    assert picture_of(explorer) != before, "the picture did not change"
    assert (explorer.bounding_box(), top(page)) == place, "the page jumped or scrolled"
    return page.evaluate("(window.dae.end - window.dae.begin) / 1000")


def explorers(page):
    return page.locator(".jp-OutputArea-output .jupyter-widgets.widget-vbox:has(> .widget-image)")


def move_sliders(page, explorer):
    """Each slider by the arrow keys, then by the mouse; gives the seconds."""
    times = []
    for handle in explorer.get_by_role("slider").all():
        label = handle.locator("xpath=ancestor::*[contains(@class, 'widget-slider')]//label")
        assert label.inner_text().strip()
        low, high, now = (
            float(handle.get_attribute(f"aria-value{x}")) for x in ("min", "max", "now")
        )
        handle.scroll_into_view_if_needed()
        key = "ArrowRight" if now < high else "ArrowLeft"
        handle.focus()
        times.append(changes(page, explorer, lambda key=key: page.keyboard.press(key)))
        track = handle.locator("xpath=ancestor::*[contains(@class, 'noUi-target')]")
        box = track.bounding_box()
        far = 0.9 if now < (low + high) / 2 else 0.1
        x, y = box["x"] + far * box["width"], box["y"] + box["height"] / 2
        times.append(changes(page, explorer, lambda x=x, y=y: page.mouse.click(x, y)))
    return times


def choose_from_lists(page, explorer):
    """Each drop-down list by key, then by choosing its first entry; gives the seconds."""
    times = []
    for chooser in explorer.locator("select").all():
        assert chooser.locator("xpath=../label").inner_text().strip()
        chooser.scroll_into_view_if_needed()
        chooser.focus()
        first = chooser.evaluate("e => e.selectedIndex")
        key = "ArrowDown" if first == 0 else "ArrowUp"
        times.append(changes(page, explorer, lambda key=key: page.keyboard.press(key)))
        times.append(changes(page, explorer, lambda c=chooser, i=first: c.select_option(index=i)))
    return times


def draw(page, explorer, canvas):
    """A stroke by mouse, one by touch, one by keys, and a cleared page."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    session = page.context.new_cdp_session(page)

    def at(x, y):
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def by_mouse():
        page.mouse.move(*at(0.3, 0.2))
        page.mouse.down()
        page.mouse.move(*at(0.5, 0.8), steps=5)
        page.mouse.up()

    def by_touch():
        for kind, place in {"touchStart": (0.7, 0.2), "touchMove": (0.7, 0.8)}.items():
            x, y = at(*place)
            session.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]}
            )
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def by_keys():
        canvas.focus()
        page.keyboard.press("Space")
        for _ in range(6):
            page.keyboard.press("ArrowLeft")
        page.keyboard.press("Space")

    times = [changes(page, explorer, action) for action in (by_mouse, by_touch, by_keys)]
    clear = explorer.get_by_role("button", name="clear")
    return times + [changes(page, explorer, clear.click)]


def answer_quiz(page):
    """A wrong and a right answer by mouse, a right one by key."""
    first, second = page.locator(".Quiz").nth(0), page.locator(".Quiz").nth(1)
    first.locator('.MCButton[data-correct="false"]').first.click()
    expect(first.locator(".Feedback.incorrect")).to_contain_text("No.")
    first.locator('.MCButton[data-correct="true"]').click()
    expect(first.locator(".Feedback.correct")).to_contain_text("Right.")
    second.locator('.MCButton[data-correct="true"] input').focus()
    page.keyboard.press("Space")
    expect(second.locator(".Feedback.correct")).to_contain_text("Right.")
    expect(page.get_by_text("Answer", exact=True)).to_have_count(0)  # the folded text has gone


def unfold_and_fold_solution(page):
    """The first solution: folded, unfolded by a click, folded again."""
    source = page.locator(".cm-content", has_text="# @title Solution 1")
    expect(source).to_have_count(0)
    folded = page.locator(".jp-CodeCell:has(.jp-InputPlaceholder)")
    assert folded.count() >= 5  # the first one is the cell for Colab
    folded.nth(1).locator(".jp-Placeholder-content").click()
    expect(source).to_be_visible()
    cell = page.locator(".jp-CodeCell", has=source)
    cell.locator(".jp-InputCollapser").click()
    expect(source).to_have_count(0)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_in_a_browser(path, look_at):
    page, problems = look_at(path)
    times = []
    assert explorers(page).count() >= 1
    for explorer in explorers(page).all():
        explorer.scroll_into_view_if_needed()
        expect(explorer.locator("img")).to_have_count(1)
        times += choose_from_lists(page, explorer) + move_sliders(page, explorer)
        for canvas in explorer.locator("canvas").all():
            times += draw(page, explorer, canvas)
    if path.name.startswith("05"):
        assert page.locator("canvas[role=application]").count() == 1, "the drawing pad"
    answer_quiz(page)
    unfold_and_fold_solution(page)
    assert problems == []
    usual, slowest = sorted(times)[len(times) // 2], max(times)
    print(
        f"\n{path.name}: {len(times)} moves; a picture follows after {1000 * usual:.0f} ms,"
        f" at most {1000 * slowest:.0f} ms"
    )


def write(path, *sources):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def test_a_broken_callback_is_noticed(look_at, tmp_path):
    page, _ = look_at(write(tmp_path / "broken.ipynb", BROKEN))
    explorers(page).wait_for(timeout=PATIENCE)
    with pytest.raises(AssertionError, match="the picture did not change"):
        move_sliders(page, explorers(page).first)


def test_a_failing_cell_is_noticed(look_at, tmp_path):
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        look_at(write(tmp_path / "failing.ipynb", "1 / 0", "2"))


def test_errors_and_requests_are_noticed(chromium):
    page = chromium.new_page()
    problems = watch(page, "http://127.0.0.1:1")
    page.set_content("<script>console.error('one'); fetch('http://example.invalid/two')</script>")
    page.evaluate("setTimeout(() => { throw new Error('three') })")
    for words in ("one", "two", "three"):
        found = re.compile(words)
        for _ in range(50):
            page.wait_for_timeout(100)
            if any(map(found.search, problems)):
                break
        assert any(map(found.search, problems)), problems
