"""What a page says over the output that it hides: an answer, which a reader opens when they have guessed.

MyST-NB folds what the tag hide-output names into <details>, which opens without a script, by keyboard, for the search
of a browser and on paper (_static/course.css). It calls that "Show code cell output", and its label for screen readers
is another than the one that is seen. Here both are the same words. Where a **Predict** stands above,
_static/predict.js adds a line for the guess.
"""

from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput
from sphinx.transforms.post_transforms import SphinxPostTransform

SHOW, HIDE = "Show what comes out", "Hide what comes out"


def setup(app):
    """Called by Sphinx, since _config.yml lists this module as an extension."""
    app.add_post_transform(Answers)
    app.add_node(HideCodeCellNode, override=True, html=(open_details, depart_HideCellInput))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class Answers(SphinxPostTransform):
    """Name each hidden output as what it is."""
    default_priority = 200  # MyST-NB hides at 199
    formats = ("html",)

    def run(self, **_):
        for node in self.document.findall(HideCodeCellNode):
            if "below-input" in node["classes"]:
                node["prompt_show"], node["prompt_hide"] = SHOW, HIDE


def open_details(translator, node):
    """Begin what MyST-NB would, but with no label beside the words that are seen."""
    prompts = {"collapsed": node["prompt_show"], "expanded": node["prompt_hide"]}
    titles = [f'<p class="{name} admonition-title">{prompt}</p>' for name, prompt in prompts.items()]
    translator.body.append(f'<details class="admonition hide {" ".join(node["classes"])}">\n'
                           f'<summary>\n{"".join(titles)}\n</summary>\n')
