"""Scripts, for whoever reads the feedback."""

from tests.attacks.attack import cells

ATTACKS = cells(first={
    "HTML with a script is displayed": """
from IPython.display import HTML, Javascript, SVG, display
display(HTML("<script>alert(1)</script><img src=x onerror=alert(1)>"))
display(Javascript("alert(1)"))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))""",
    "an object shows itself as HTML, LaTeX and Markdown": """
class Bad:
    _repr_html_ = _repr_markdown_ = _repr_javascript_ = _repr_svg_ = lambda self: "<script>alert(1)</script>"
    _repr_latex_ = lambda self: r"$\\href{javascript:alert(1)}{x}$"
    _repr_mimebundle_ = lambda self, **k: {"text/html": "<script>alert(1)</script>", "text/plain": "x"}
Bad()""",
    "an exception bears a script as its name": "raise type('<script>alert(1)</script>', (Exception,), {})('<script>')",
    "a widget with a script of its own": """
from IPython.display import display
widget = {"model_id": "x"}
display({"application/vnd.jupyter.widget-view+json": widget, "text/html": "<script>alert(1)</script>"}, raw=True)""",
}, center={
    "a call raises a script": "def center(x, axis=0): raise type('<script>alert(1)</script>', (Exception,), {})()",
    "a call returns a script's type": "def center(x, axis=0): return type('<script>', (), {})()",
    "a call returns a script": "def center(x, axis=0): return '<script>alert(1)</script>'",
})
