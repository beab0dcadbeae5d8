"""HTML of a notebook that needs no network: formulas are drawn when the page is made.

nbconvert's own pages fetch MathJax, require.js and Mermaid when they are opened. Here a formula
becomes a small SVG picture (by ziamath, which brings its font along) with its LaTeX as alternative
text, and no script is left.
"""

import re
from xml.etree import ElementTree

import ziamath
from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

ziamath.config.svg2 = False  # each picture holds its own outlines
SIZE = 20  # formulas are drawn at this size and scaled to the text around them
EM = 1.05 / SIZE  # em of the text; the letters of the formulas' font are a little smaller
OUTSIDE_PICTURE = re.compile(r"\[!\[[^]]*\]\(https?:[^)]*\)\]\([^)]*\)|!\[[^]]*\]\(https?:[^)]*\)")
LINK = re.compile(r"(?<!!)\[((?:[^]\[]|\[[^]]*\])*)\]\((?!https?:|#)([^)\s]+)\)")
# Blocks of nbconvert's templates: no scripts, and pictures keep their alternative text.
OFFLINE = """
{%- block html_head_js -%}{%- endblock html_head_js -%}
{%- block html_head_js_mathjax -%}{%- endblock html_head_js_mathjax -%}
{%- block html_head_js_mermaidjs -%}{%- endblock html_head_js_mermaidjs -%}
{%- block data_png scoped -%}
<div class="jp-RenderedImage jp-OutputArea-output">
<img src="data:image/png;base64,{{ output.data['image/png'] | trim | escape_html }}"
 alt="{{ (output | get_metadata('alt', 'image/png') or '') | escape_html_keep_quotes }}">
</div>
{%- endblock data_png -%}
"""


def formula(latex: str, inline: bool = True) -> str:
    """A formula as an SVG picture; raises ``ValueError`` if it cannot be drawn whole."""
    try:
        drawn = ziamath.Latex(latex.replace(r"\!", ""), size=SIZE, inline=inline)
    except Exception as error:
        raise ValueError(f"this formula cannot be drawn: {latex} ({error})") from error
    if unknown := re.search(r"\\\w+", "".join(drawn.mathml.itertext())):
        raise ValueError(f"{unknown[0]} is not known, in the formula: {latex}")
    svg = drawn.svgxml()
    _, top, width, height = map(float, svg.attrib["viewBox"].split())
    style = f"width: {width * EM:.3f}em; height: {height * EM:.3f}em"
    if inline:
        style += f"; vertical-align: {-(top + height) * EM:.3f}em"
    del svg.attrib["width"], svg.attrib["height"]
    said = {"class": "formula", "role": "img", "aria-label": latex.strip(), "style": style}
    svg.attrib.update(said)
    picture = ElementTree.tostring(svg, encoding="unicode")
    return picture if inline else f'<div class="formula-line">{picture}</div>'


class Renderer(IPythonRenderer):
    """Markdown with drawn formulas."""

    def inline_math(self, body: str) -> str:
        """``$...$``."""
        return formula(body)

    def block_math(self, body: str) -> str:
        """``$$...$$``."""
        return formula(body, inline=False)

    def latex_environment(self, name: str, body: str) -> str:
        r"""``\begin{...}...\end{...}``."""
        return formula(rf"\begin{{{name}}}{body}\end{{{name}}}", inline=False)


class OfflineExporter(HTMLExporter):
    """nbconvert's HTML without anything from outside; goes before another exporter, or alone."""

    exclude_anchor_links = True
    embed_images = True

    @pass_context
    def markdown2html(self, context: dict, source: str) -> str:
        """The filter that the templates call for text cells."""
        path = context.get("resources", {}).get("metadata", {}).get("path", "")
        renderer = Renderer(escape=False, embed_images=True, exclude_anchor_links=True, path=path)
        return MarkdownWithMath(renderer=renderer).render(source)


def mend_text(nb: NotebookNode) -> None:
    """Take pictures from outside out of the text; links to notebooks lead to their pages.

    Links to other files of the repository go, as the pages are used without it.
    """

    def mend_link(match: re.Match) -> str:
        text, target = match.groups()
        if page := re.fullmatch(r"(\w+)\.ipynb(#.*)?", target):
            return f"[{text}]({page[1]}.html{page[2] or ''})"
        return text

    for cell in nb.cells:
        if cell.cell_type == "markdown":
            text = OUTSIDE_PICTURE.sub("", cell.source)
            code = re.split(r"(```.*?```|`[^`\n]*`)", text, flags=re.DOTALL)
            code[::2] = [LINK.sub(mend_link, part) for part in code[::2]]
            cell.source = "".join(code)
