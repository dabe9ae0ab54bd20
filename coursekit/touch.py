"""Figures to touch: a still picture in SVG, complete by itself, that the site's script (_static/touch.js) takes over.

Each function draws what its numbers say and sends the numbers along, so that the script goes on from them. Where there
is no script (in print, in a notebook) the picture stays as it is. What the script moves carries `data-is`.
"""

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from io import BytesIO

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.image import imsave

from coursekit.plot import KEY, QUERY, VALUE, WEIGHT, WEIGHTS, _visible
from coursekit.shapes import expect

INK, PALE, FAINT = "#24272b", "#d7dbe0", "#5a626b"
SMALL = "₁₂₃₄₅₆₇₈₉"
WIDTH = 360  # of every picture in its own units, about those of a telephone's screen


@dataclass
class Touch:
    """A figure to touch, which a notebook shows as HTML."""

    kind: str            # what the script does with it
    start: dict          # the numbers that it starts from
    alt: str             # the picture in words
    height: float
    drawing: str         # what stands in the <svg>
    buttons: tuple = ()  # what their labels say

    def _repr_html_(self):
        buttons = "".join(f'<button type="button">{escape(label)}</button>' for label in self.buttons)
        return (f'<touch-figure kind="{self.kind}" data-start="{escape(json.dumps(self.start))}">'
                f'<svg viewBox="0 0 {WIDTH} {self.height}" width="480" role="img" aria-label="{escape(self.alt)}" '
                f'fill="{INK}" font-family="system-ui, Helvetica, sans-serif" font-size="13">{self.drawing}</svg>'
                f'<div class="buttons" style="visibility: hidden">{buttons}</div><output></output></touch-figure>')

    def __repr__(self):
        return self.alt


def softmax(scores, presets):
    """Scores that are dragged, one by one or all together, above the weights that they give.

    scores   (S,), within -10 and 10
    presets  a name for each S scores that a button sets
    """
    scores = np.asarray(scores, float)
    weights = _softmax(scores)
    draw = [_text(52, 18, "all"), _text(52, 262, "weights"), _text(52, 279, "sum 1", size=12, fill=FAINT),
            _path(f"M96 104H{96 + 80 * len(scores)}", PALE, dash="3 3"),
            *(_text(92, y + 4, _number(e, 0), size=11, fill=FAINT, anchor="end")
              for y, e in [(34, 10), (104, 0), (174, -10)])]
    for j, (e, weight) in enumerate(zip(scores, weights, strict=True)):
        x = 140 + 80 * j
        draw += [_text(x, 18, f"word {j + 1}"),
                 _slider("score", f"score of word {j + 1}", e, (-10, 10, 0.1), (x, 104), (0, -7),
                         beside=_text(17, 4.5, _number(e, 1), anchor="start", name="number")),
                 f'<g transform="translate({x - 22} 294) scale(44 -80)">'
                 f'<rect data-is="bar" width="1" height="{weight}" fill="{WEIGHT}"/></g>',
                 _path(f"M{x - 26} 294H{x + 26}", INK), _text(x, 289 - 80 * weight, _number(weight), name="weight")]
    draw += [_slider("all", "all scores", scores.mean(), (-10, 10, 0.1), (52, 104), (0, -7), wide=True)]
    alt = f"Scores {_list(scores, 1)} on upright sliders, and below each its weight as a bar: {_list(weights)}."
    return Touch("softmax", {"scores": scores.tolist(), "presets": list(presets.values())}, alt, 302, "".join(draw),
                 tuple(presets))


def turn(query, K, V):
    """A query that is turned and stretched among keys, and what it gets: its place among the values.

    query (2,) and K (S, 2), none longer than 2; V (S, 2) within 0 and 5
    """
    query, K, V = (np.asarray(array, float) for array in (query, K, V))
    expect({"S": len(K)}, K=(K, "S 2"), V=(V, "S 2"), query=(query, "2"))
    e = K @ query / 2**0.5
    weights, unit, (x, y), scale, (left, low) = _softmax(e), 28, (88, 122), 25, (202, 186)
    output, length, angle = weights @ V, np.hypot(*query), np.degrees(np.arctan2(query[1], query[0]))
    to, down = left + scale * output[0], low - scale * output[1]
    at = [(left + scale * v[0], low - scale * v[1]) for v in V]
    draw = [_text(x, 18, "scores q·k/√2"), _text(272, 18, "weights, and the blend o"),
            f'<circle cx="{x}" cy="{y}" r="{unit * 2}" fill="none" stroke="{PALE}" stroke-dasharray="3 3"/>',
            _path(f"M{left} {low - scale * 5}V{low}H{left + scale * 5.3}", PALE),
            *(_text(left + scale * n, low + 14, n, size=11, fill=FAINT) for n in range(6)),
            *(_text(left - 9, low - scale * n + 4, n, size=11, fill=FAINT) for n in range(1, 6)),
            f'<polygon points="{" ".join(f"{a},{b}" for a, b in at)}" fill="{VALUE}" fill-opacity=".1"/>']
    for j, (k, score) in enumerate(zip(K, e, strict=True)):
        beyond = x + 1.45 * unit * k[0], y - 1.45 * unit * k[1]
        draw += [_arrow(x, y, unit, k, KEY, "key"), _text(*beyond, f"k{SMALL[j]}", size=12, weight=600),
                 _text(beyond[0], beyond[1] + 14, _number(score), size=12, name="score")]
    draw += [f'<line data-is="share" x1="{a}" y1="{b}" x2="{to}" y2="{down}" stroke="{WEIGHT}" '
             f'stroke-width="{14 * weight}"/>' for (a, b), weight in zip(at, weights, strict=True)]
    for j, ((a, b), weight) in enumerate(zip(at, weights, strict=True)):
        beside = b + (22 if V[j, 1] < V[:, 1].mean() else -14)  # away from the others
        draw += [f'<circle cx="{a}" cy="{b}" r="6" fill="{VALUE}" stroke="{INK}"/>',
                 _text(a - 9, beside, f"v{SMALL[j]}", size=12, weight=600),
                 _text(a, beside, _number(weight), size=12, anchor="start", name="weight")]
    draw += [f'<g data-is="output" transform="translate({to} {down})"><circle r="9" fill="#fff" stroke="{INK}" '
             f'stroke-width="1.5"/>{_text(0, 4, "o", weight=600)}</g>',
             _text(8, 236, "length", anchor="start", size=12, fill=FAINT),
             _slider("length", "length of the query", length, (0, 2, 0.1), (56, 232), (50, 0)),
             _text(202, 229, f"q = {_pair(query)}", anchor="start", name="pair"),
             _text(202, 247, f"o = {_pair(output)}", anchor="start", name="pair"),
             _arrow(x, y, unit, query, QUERY, "query"),
             _handle("tip", "direction of the query", (-180, 177, 3), x + unit * query[0], y - unit * query[1],
                     beside=_text(0, 4.5, "q", weight=600))]
    alt = (f"A query {_pair(query)} among {len(K)} keys has the scores {_list(e)} and the weights {_list(weights)}; "
           f"the blend {_pair(output)} lies among the values.")
    start = {"K": K.tolist(), "V": V.tolist(), "angle": round(angle), "length": round(length, 1), "unit": unit,
             "centre": [x, y], "scale": scale, "origin": [left, low]}
    return Touch("turn", start, alt, 256, "".join(draw))


def alignment(weights, source, target, without):
    """What was read for each character that was written, which is chosen by pointing or by the arrow keys.

    weights (T, S)
    source, target, without  S, T and T characters; `without` is what was written without the darkest position
    """
    weights = np.asarray(weights, float)
    expect({"T": len(target), "S": len(source)}, weights=(weights, "T S"))
    read, wrote = (58 + 300 / n * (np.arange(n) + 0.5) for n in (len(source), len(target)))
    half = 150 / len(source) - 1
    draw = [_text(0, y, label, anchor="start", size=12, fill=FAINT)
            for y, label in [(39, "read"), (149, "written"), (182, "without"), (196, "darkest")]]
    draw += [f'<path data-is="look" data-row="{i}" d="M{wrote[i]:.1f} 131L{read[j]:.1f} 49" stroke="{WEIGHT}" '
             f'stroke-opacity=".7" stroke-width="{10 * weights[i, j]:.2f}"/>' for i, j in np.argwhere(weights >= 0.01)]
    for x, token in zip(read, _visible(source), strict=True):
        draw += [f'<g transform="translate({x:.1f} 0)">{_box(half, 22, 49, VALUE, "box")}',
                 _text(0, 40, token, size=15, name="letter"), _text(0, 16, "", size=10.5, name="weight"), "</g>"]
    for x, token, instead in zip(wrote, target, without, strict=True):
        draw += [f'<g transform="translate({x:.1f} 0)">{_box(13, 131, 158, QUERY)}{_text(0, 150, token, size=15)}',
                 _text(0, 190, instead, size=15, weight=700 if instead != token else 400), "</g>"]
    draw += [f'<rect data-is="frame" y="124" width="{300 / len(target):.1f}" height="79" rx="4" fill="none" '
             f'stroke="{INK}" stroke-width="2" opacity="0"/>'
             f'<rect data-is="strip" data-label="written character" data-range="0 {len(target)} 1" x="58" y="124" '
             'width="300" height="79" rx="4" fill="transparent"/>']
    alt = (f"{source} is read and {target} written; lines lead from each written character to those that it looked "
           f"at, the thicker the more weight. What is written without the darkest position of each: {without}.")
    return Touch("alignment", {"weights": weights.tolist(), "source": _visible(source), "target": list(target),
                               "without": list(without)}, alt, 206, "".join(draw), ("all characters",))


def mask(scores, words, is_word):
    """Weights under a mask whose places are toggled one by one, or set by name; at first it is causal.

    scores (S, S), words S tokens, is_word (S,) False at padding
    """
    scores, is_word = np.asarray(scores, float), np.asarray(is_word, bool)
    expect({"S": len(words)}, scores=(scores, "S S"), is_word=(is_word, "S"))
    S = len(words)
    causal = np.tri(S, dtype=bool)
    masks = {"no mask": np.ones((S, S), bool), "causal": causal, "padding": np.tile(is_word, (S, 1)),
             "both": causal & is_word}
    width, height = 266 / S, 238 / S
    draw = [_text(338, 16, "sum", size=12, fill=FAINT)]
    for i, word in enumerate(words):
        y = 24 + height * (i + 0.5)
        row = _softmax(scores[i], causal[i])
        draw += [_text(50 + width * (i + 0.5), 16, word), _text(44, y + 4.5, word, anchor="end"),
                 _text(338, y + 4.5, _number(row.sum()), name="sum")]
        for j, weight in enumerate(row):
            colour, ink = (to_hex(WEIGHTS(weight)), _ink(weight)) if causal[i, j] else ("#eef0f2", "none")
            draw += [f'<g data-is="place" transform="translate({50 + width * (j + 0.5):.1f} {y:.1f})">',
                     f'<rect x="{-width / 2:.1f}" y="{-height / 2:.1f}" width="{width:.1f}" height="{height:.1f}" '
                     f'fill="{colour}" stroke="{PALE}"/><path d="M-6-6L6 6M6-6L-6 6" stroke="{FAINT}" '
                     f'opacity="{int(not causal[i, j])}"/>{_text(0, 4.5, _number(weight), size=12, fill=ink)}</g>']
    alt = (f"A grid of weights: rows ask, columns are looked at, by {', '.join(words)}. Under a causal mask each row "
           "has weights up to the diagonal, which sum to 1, and crosses behind it.")
    start = {"scores": scores.tolist(), "words": list(words), "now": causal.astype(int).tolist(),
             "masks": [each.astype(int).tolist() for each in masks.values()]}
    return Touch("mask", start, alt, 266, "".join(draw), tuple(masks))


def rotary(at_query, at_key, degrees, last=12):
    """A query and a key, (1, 0) both, turned by `degrees` for each word of their positions, which slide from 0 on."""
    distance, at, tips, unit, (x, y) = at_query - at_key, (at_query, at_key), (74, 88), 270 / last, (96, 98)
    score = np.cos(np.deg2rad(degrees * distance))
    draw = [f'<circle cx="{x}" cy="{y}" r="64" fill="none" stroke="{PALE}"/>',
            _text(200, 64, f"distance {_number(distance, 0)}", anchor="start", name="says"),
            _text(200, 88, f"angle {_number(degrees * distance, 0)}°", anchor="start", name="says"),
            _text(200, 122, f"q · k = {_number(score, 3)}", anchor="start", size=20, weight=600, name="says")]
    turns = np.deg2rad(degrees * np.array(at))
    draw += [_arrow(x, y, 64, (np.cos(turn), np.sin(turn)), colour, "arrow")
             for turn, colour in zip(turns, (QUERY, KEY), strict=True)]
    draw += [_text(x + tip * np.cos(turn), y - tip * np.sin(turn) + 4.5, letter, weight=600, name="tip")
             for turn, tip, letter in zip(turns, tips, "qk", strict=True)]
    draw += [_text(70 + unit * n, 318, n, size=11, fill=FAINT) for n in range(last + 1)]
    for row, name, label, position, colour in [(206, "at", "query", at_query, QUERY), (246, "at", "key", at_key, KEY),
                                               (286, "both", "both", (at_query + at_key) / 2, "#fff")]:
        draw += [_text(8, row + 4.5, label, anchor="start"),
                 _slider(name, f"position of {label if label == 'both' else 'the ' + label}", position, (0, last, 1),
                         (70, row), (unit, 0), wide=label == "both", colour=colour)]
    alt = (f"A query at position {at_query} and a key at {at_key}, turned by {degrees} degrees a word, are "
           f"{_number(degrees * distance, 0)} degrees apart; their product is {_number(score, 3)}.")
    return Touch("rotary", {"at": at, "degrees": degrees, "centre": [x, y], "tips": tips}, alt, 324, "".join(draw))


def tokens(text, sizes, lengths, per_token, now):
    """A text in the tokens of a vocabulary that grows under a slider, above how much a token holds on average.

    text       letters, blanks and signs of one byte each
    sizes      how large the vocabulary is at each of n steps, two or more; `now` is where the slider stands
    lengths    for each step the lengths of the text's tokens, in order
    per_token  (n,) for each step the mean length of a token in a longer text, from 1 to 4
    """
    expect({"n": len(sizes)}, per_token=(np.asarray(per_token), "n"))
    if len(lengths) != len(sizes) or {sum(step) for step in lengths} != {len(text)}:
        raise ValueError(f"lengths: expected {len(sizes)} lists that sum to {len(text)}, got {lengths}")
    columns, cell, row = 27, 12.8, 26
    low = 150 + row * -(-len(text) // columns)  # where the plot has its foot
    x, y = np.linspace(48, 336, len(sizes)), low - 28 * (np.asarray(per_token) - 1)
    says = [f"vocabulary {size}: {len(step)} tokens, {len(text) / len(step):.1f} bytes each"
            for size, step in zip(sizes, lengths, strict=True)]
    shown = {"shade": [{"d": _every_second(step, columns, cell, row)} for step in lengths],
             "says": [{"text": each} for each in says],
             "dot": [{"transform": f"translate({a:.1f} {b:.1f})"} for a, b in zip(x, y, strict=True)]}
    draw = [f'<path data-is="shade" d="{shown["shade"][now]["d"]}" fill="{PALE}"/>',
            *(_text(7 + cell * (n % columns + 0.5), 26 + row * (n // columns), character)
              for n, character in enumerate(text) if character != " "),
            _text(7, low - 114, says[now], name="says", anchor="start", weight=600),
            _text(7, low - 92, "bytes in a token of a new text", size=12, fill=FAINT, anchor="start"),
            *(_path(f"M44 {low - 28 * n}H348", PALE) + _text(36, low - 28 * n + 4, n + 1, size=11, fill=FAINT)
              for n in range(4)),
            _path("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True)), INK),
            f'<g data-is="dot" transform="{shown["dot"][now]["transform"]}"><circle r="5" fill="{INK}"/></g>',
            *(_text(a, low + 56, size, size=11, fill=FAINT) for a, size in list(zip(x, sizes, strict=True))[1::2]),
            _slider("step", "size of the vocabulary", now, (0, len(sizes) - 1, 1), (48, low + 28), (x[1] - x[0], 0))]
    alt = (f"{text} {says[now].capitalize()}. A curve shows the bytes in a token of a new text: "
           f"{per_token[0]:.1f} with a vocabulary of {sizes[0]}, {per_token[-1]:.1f} with one of {sizes[-1]}.")
    return Touch("steps", {"now": now, "shown": shown}, alt, low + 64, "".join(draw))


def silenced(text, heads, looks, letters, probabilities, now=0):
    """The end of a text, where one head after the other is silenced under a slider, and what it would write next.

    text           letters and blanks, before which stands START: S tokens with it
    heads          for each of n steps what stands under the slider, and what it means; `now` is where it stands
    looks          (n, S) where these heads look from the last letter; zeros where none is silent
    letters        k letters that may come next
    probabilities  (n, k) how likely each of them is at each step
    """
    looks, probabilities = np.asarray(looks, float), np.asarray(probabilities, float)
    expect({"n": len(heads), "S": len(text) + 1, "k": len(letters)}, looks=(looks, "n S"),
           probabilities=(probabilities, "n k"))
    cell, row, shown = 20, 46, ["<s>", *_visible(text)]
    at = [(10 + cell * column, 56 + row * line) for column, line in _in_lines(text, columns=17)]
    low = at[-1][1] + row  # where the bars of the next letters begin
    says = list(heads.values())
    steps = {"says": [{"text": each} for each in says],
             "looks": [{"d": _hanging(at, cell, 20 * step)} for step in looks],
             "bars": [{"d": "".join(f"M40 {low + 26 * j}h{250 * p:.1f}v18H40z" for j, p in enumerate(each))}
                      for each in probabilities]}
    steps |= {f"number {j}": [{"text": _number(p)} for p in column] for j, column in enumerate(probabilities.T)}
    unit = 280 / (len(heads) - 1)
    draw = [_text(10, 20, says[now], name="says", anchor="start", weight=600),
            *(_text(x + cell / 2, y, letter, size=11 if letter == "<s>" else 15)
              for (x, y), letter in zip(at, shown, strict=True)),
            f'<path data-is="looks" d="{steps["looks"][now]["d"]}" fill="{WEIGHT}"/>',
            _text(10, low - 10, "what comes next", size=12, fill=FAINT, anchor="start"),
            *(_text(24, low + 14 + 26 * j, letter, size=15) for j, letter in enumerate(_visible(letters))),
            f'<path data-is="bars" d="{steps["bars"][now]["d"]}" fill="{FAINT}"/>',
            *(_text(350, low + 14 + 26 * j, _number(p), name=f"number {j}", anchor="end")
              for j, p in enumerate(probabilities[now]))]
    rail = low + 26 * len(letters) + 26
    draw += [_text(34 + unit * n, rail + 30, head, size=11, fill=FAINT) for n, head in enumerate(heads)]
    draw += [_slider("step", "which head is silent", now, (0, len(heads) - 1, 1), (34, rail), (unit, 0))]
    likely = ", ".join(f"{letter} {_number(p)}"
                       for letter, p in zip(_visible(letters), probabilities[now], strict=True))
    alt = (f"How likely each letter is after {text}, {says[now]}: {likely}. A slider silences one head after "
           "the other.")
    return Touch("steps", {"now": now, "shown": steps}, alt, rail + 38, "".join(draw))


def _in_lines(text, columns):
    """Column and line of START and of each letter of a text, in lines that cut no word."""
    places, column, line = [(0, 0)], 1, 0
    for word in re.findall(r"[^ ]* ?", text):
        if column + len(word.rstrip()) > columns:
            column, line = 0, line + 1
        places += [(column + i, line) for i in range(len(word))]
        column += len(word)
    return places


def reads(what, steps, says, rows, now):
    """Where a model looks at each step, as bars under the tokens that it can look at, in several rows under one slider.

    what   what the slider chooses, such as "token that is written"
    steps  what stands under the slider at each of n steps, two or more; `now` is where it stands
    says   n texts, what happens at each step
    rows   {name: (tokens, weights (n, S), asks)}: S tokens in one line, 13 at most; their weights, nan where a token is
           not there; and for each step the token that asks. From 5 per cent on a weight is told in figures
    """
    shown, draw, alt = {"says": [{"text": each} for each in says]}, [], []
    for row, (name, (tokens, weights, asks)) in enumerate(rows.items()):
        weights, top, cell = np.asarray(weights, float), 52 + 98 * row, 346 / len(tokens)
        expect({"n": len(steps), "S": len(tokens)}, **{name: (weights, "n S")})
        at = [(7 + cell * j, top + 22) for j in range(len(tokens))]
        titles = [f"{name}: {ask} looks at" for ask in _visible(asks)]
        shown[f"row {row}"] = [{"text": title} for title in titles]
        shown[f"looks {row}"] = [{"d": _hanging(at, cell, 32 * step)} for step in weights]
        draw += [_text(7, top, titles[now], name=f"row {row}", anchor="start"),
                 f'<path data-is="looks {row}" d="{shown[f"looks {row}"][now]["d"]}" fill="{WEIGHT}"/>']
        for j, ((x, y), token, w) in enumerate(zip(at, _visible(tokens), weights.T, strict=True)):
            below = y + 19 + 32 * np.nan_to_num(w)
            shown[f"token {row} {j}"] = [{"text": "" if np.isnan(each) else token} for each in w]
            shown[f"percent {row} {j}"] = [{"text": _percent(each) if each >= 0.05 else "", "y": _round(foot)}
                                           for each, foot in zip(w, below, strict=True)]
            draw += [_text(x + cell / 2, down, shown[part][now]["text"], name=part, size=size) for part, down, size in
                     [(f"token {row} {j}", y, 15 if len(token) == 1 else 11), (f"percent {row} {j}", below[now], 11)]]
        alt += [f"{titles[now]} " + ", ".join(f"{token} {_percent(w)}" for token, w in
                                              zip(_visible(tokens), weights[now], strict=True) if w >= 0.05)]
    rail, unit = 52 + 98 * len(rows), 300 / (len(steps) - 1)
    draw += [_text(7, 22, says[now], name="says", anchor="start", weight=600),
             *(_text(30 + unit * n, rail + 30, each, size=11, fill=FAINT) for n, each in enumerate(steps)),
             _slider("step", what, now, (0, len(steps) - 1, 1), (30, rail), (unit, 0))]
    return Touch("steps", {"now": now, "shown": shown}, f"{says[now]}. In percent, {'; '.join(alt)}.",
                 float(rail + 38), "".join(draw))


def choices(what, settings, panels, now):
    """How likely each token is to be drawn next, after some texts, under one slider for all of them.

    what      what the slider sets, such as "temperature"
    settings  its value at each of n steps, two or more; `now` is where it stands
    panels    {text: (tokens, p, is_right)}: the names of m tokens, their probabilities p (n, m), 0 for one that was
              removed, and (m,) whether a token is right there; the first ten are drawn
    """
    low, x = 112 + 150 * np.arange(len(panels)), 24 + 35 * np.arange(10)           # the feet of the bars; their middles
    shown, draw, alt = {"says": [{"text": f"{what} {each}"} for each in settings]}, [], []
    for row, (foot, (text, (tokens, p, is_right))) in enumerate(zip(low, panels.items(), strict=True)):
        p, is_right = np.asarray(p, float), np.asarray(is_right, bool)
        expect({"n": len(settings), "m": len(tokens)}, p=(p, "n m"), is_right=(is_right, "m"))
        off = [f"wrong: {_number(100 * share, 1)} %" for share in p[:, ~is_right].sum(axis=1)]
        shown |= {f"right {row}": [{"d": _bars(x, foot, step * is_right)} for step in p],
                  f"wrong {row}": [{"d": _bars(x, foot, step * ~is_right)} for step in p],
                  f"off {row}": [{"text": each} for each in off]}
        title = re.sub(" $", "␣", text)  # a blank at the end would not be seen
        draw += [_text(7, foot - 92, f"“{title}”", anchor="start", weight=600),
                 _text(353, foot - 92, off[now], name=f"off {row}", anchor="end"),
                 _path(f"M7 {foot}H353", PALE),
                 f'<path data-is="right {row}" d="{shown[f"right {row}"][now]["d"]}" fill="{INK}"/>',
                 f'<path data-is="wrong {row}" d="{shown[f"wrong {row}"][now]["d"]}" fill="#fff" stroke="{FAINT}"/>']
        for n, (token, right) in enumerate(zip(tokens[:10], is_right, strict=False)):
            shown[f"percent {row} {n}"] = [{"text": _percent(share)} for share in p[:, n]]
            draw += [_text(x[n], foot + 16, token, weight=600 if right else None, fill=None if right else FAINT),
                     _text(x[n], foot + 31, _percent(p[now, n]), name=f"percent {row} {n}", size=11, fill=FAINT)]
        alt += [f"after “{text}” " + ", ".join(f"{token} {_percent(share)}" for token, share in
                                               zip(tokens[:10], p[now], strict=False) if share) + f"; {off[now]}"]
    rail, unit = low[-1] + 80, 290 / (len(settings) - 1)
    draw += [_text(7, rail - 22, shown["says"][now]["text"], name="says", anchor="start", weight=600),
             *(_text(35 + unit * n, rail + 28, each, size=11, fill=FAINT) for n, each in enumerate(settings)),
             _slider("step", what, now, (0, len(settings) - 1, 1), (35, rail), (unit, 0))]
    alt = f"Percentages of the next token, {what} {settings[now]}: {'. '.join(alt)}."
    return Touch("steps", {"now": now, "shown": shown}, alt, float(rail + 36), "".join(draw))


def shares(what, settings, columns, panels, now):
    """Shares of 1 as bars, in several panels that stand under one slider.

    what      what the slider sets, such as "beta"
    settings  its value at each of n steps, two or more; `now` is where it stands
    columns   what stands under each of m bars, ten at most
    panels    {title: shares (n, m)}
    """
    low, x = 118 + 150 * np.arange(len(panels)), 24 + 330 / len(columns) * (np.arange(len(columns)) + 0.3)
    shown, draw, alt = {"says": [{"text": f"{what} {each}"} for each in settings]}, [], []
    for row, (foot, (title, values)) in enumerate(zip(low, panels.items(), strict=True)):
        values = np.asarray(values, float)
        expect({"n": len(settings), "m": len(columns)}, **{title: (values, "n m")})
        shown[f"bars {row}"] = [{"d": _bars(x, foot, step)} for step in values]
        draw += [_text(7, foot - 96, title, anchor="start", weight=600), _path(f"M7 {foot}H353", PALE),
                 f'<path data-is="bars {row}" d="{shown[f"bars {row}"][now]["d"]}" fill="{INK}"/>']
        for n, column in enumerate(columns):
            shown[f"percent {row} {n}"] = [{"text": _percent(share)} for share in values[:, n]]
            draw += [_text(x[n], foot + 16, column, size=11, fill=FAINT),
                     _text(x[n], foot + 31, _percent(values[now, n]), name=f"percent {row} {n}", weight=600)]
        alt += [f"{title}: " + ", ".join(f"{column} {_percent(share)}" for column, share in
                                         zip(columns, values[now], strict=True))]
    rail, unit = low[-1] + 80, 290 / (len(settings) - 1)
    draw += [_text(7, rail - 22, shown["says"][now]["text"], name="says", anchor="start", weight=600),
             *(_text(35 + unit * n, rail + 28, each, size=11, fill=FAINT) for n, each in enumerate(settings)),
             _slider("step", what, now, (0, len(settings) - 1, 1), (35, rail), (unit, 0))]
    return Touch("steps", {"now": now, "shown": shown}, f"In percent, {what} {settings[now]}. {'. '.join(alt)}.",
                 float(rail + 36), "".join(draw))


def looks(picture, words, weights, what, now=0):
    """Where each word of a text was read, laid over what was read: a picture under a slider along the words.

    picture  (H, W), from 0, white, to 1, black
    weights  (T, R, C) over R × C fields of it, for T words, two or more
    what     what the fields are called, such as "patches"
    """
    weights, (H, W) = np.asarray(weights, float), np.shape(picture)
    T, R, C = weights.shape
    expect({"T": len(words)}, weights=(weights, "T R C"))
    width = min(346, 300 * W / H)
    wide, high = width / C, max(width * H / W, 120) / R
    left, foot, fields = 180 - width / 2, 8 + high * R, [divmod(i, C) for i in range(R * C)]
    shown = {f"field {r} {c}": [{"fill-opacity": _round(0.85 * min(each[r, c] / each.max(), 1))} for each in weights]
             for r, c in fields}
    peaks = [divmod(int(each.argmax()), C) for each in weights]
    shown["peak"] = [{"x": _round(left + wide * c), "y": _round(8 + high * r)} for r, c in peaks]
    shown["says"] = [{"text": f"{word}: {100 * each.max():.0f} % of the weight on one of {R * C} {what}"}
                     for word, each in zip(words, weights, strict=True)]
    draw = [f'<image href="{_png(picture)}" x="{left:g}" y="8" width="{width:g}" height="{high * R:g}" '
            'preserveAspectRatio="none" style="image-rendering: pixelated"/>',
            f'<rect x="{left:g}" y="8" width="{width:g}" height="{high * R:g}" fill="none" stroke="{PALE}"/>',
            *(f'<rect data-is="field {r} {c}" x="{_round(left + wide * c)}" y="{_round(8 + high * r)}" '
              f'width="{_round(wide)}" height="{_round(high)}" fill="{WEIGHT}" '
              f'fill-opacity="{shown[f"field {r} {c}"][now]["fill-opacity"]}"/>' for r, c in fields),
            f'<rect data-is="peak" x="{shown["peak"][now]["x"]}" y="{shown["peak"][now]["y"]}" width="{_round(wide)}" '
            f'height="{_round(high)}" fill="none" stroke="{INK}" stroke-width="2"/>',
            _text(7, foot + 26, shown["says"][now]["text"], name="says", anchor="start", weight=600)]
    unit, rail = 280 / (T - 1), foot + 52
    draw += [*(_text(40 + unit * n, rail + 30, word, size=12) for n, word in enumerate(words)),
             _slider("step", "word", now, (0, T - 1, 1), (40, rail), (unit, 0))]
    alt = f"A picture in {R} × {C} {what}, and on them where “{words[now]}” was read. {shown['says'][now]['text']}."
    return Touch("steps", {"now": now, "shown": shown}, alt, float(rail + 38), "".join(draw))


def _png(picture):
    """A grey picture as the address of itself."""
    stream = BytesIO()
    imsave(stream, picture, cmap="gray_r", vmin=0, vmax=1, format="png", metadata={"Software": None})
    return f"data:image/png;base64,{b64encode(stream.getvalue()).decode()}"


def _hanging(at, cell, heights):
    """The path around bars that hang under letters at (x, y), in cells of one width, if high enough to be seen."""
    return "".join(f"M{_round(x + 2)} {y + 7}h{_round(cell - 4)}v{_round(h)}H{_round(x + 2)}z"
                   for (x, y), h in zip(at, heights, strict=True) if h >= 0.2)


def _bars(x, foot, p):
    """The path around bars of heights p (m,) at x, none for a height of 0; what has no x is left out."""
    return "".join(f"M{at - 12} {foot}v-{_round(80 * share)}h24V{foot}z"
                   for at, share in zip(x, p, strict=False) if share)


def _percent(share):
    """A probability of 100; one that is removed, which is 0, as a dash."""
    return "–" if share == 0 else "<1" if share < 0.005 else f"{100 * share:.0f}"


def _every_second(lengths, columns, cell, row):
    """The path around every second token of a text that is broken into rows of cells; at an end of a row it is cut."""
    ends, path = np.cumsum(lengths).tolist(), ""
    for start, end in list(zip([0, *ends], ends, strict=False))[::2]:
        for line in range(start // columns, (end - 1) // columns + 1):
            left, right = max(start - line * columns, 0), min(end - line * columns, columns)
            path += f"M{7 + cell * left:.1f} {10 + row * line}h{cell * (right - left):.1f}v22H{7 + cell * left:.1f}z"
    return path


def _softmax(scores, may_look=True):
    """Weights (S,) of scores (S,), by NumPy; zeros where nothing may be looked at."""
    powers = np.where(may_look, np.exp(scores - np.max(scores)), 0)
    return powers / max(powers.sum(), 1e-300)


def _number(x, digits=2):
    text = f"{x:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def _round(x):
    """A coordinate, with as many digits as a screen can show."""
    return f"{x:.2f}".rstrip("0").rstrip(".")


def _list(numbers, digits=2):
    return ", ".join(_number(x, digits) for x in numbers)


def _pair(numbers):
    return f"({_list(numbers)})"


def _ink(weight):
    """What is readable on the colour of a weight."""
    return "#fff" if weight > 0.61 else "#000"


def _text(x, y, text, name=None, anchor="middle", size=None, fill=None, weight=None):
    attributes = {"data-is": name, "font-size": size, "fill": fill, "font-weight": weight,
                  "text-anchor": anchor if anchor != "start" else None}
    given = "".join(f' {key}="{value}"' for key, value in attributes.items() if value is not None)
    return f'<text x="{x:g}" y="{y:g}"{given}>{escape(str(text))}</text>'


def _path(d, stroke, dash=None):
    return f'<path d="{d}" fill="none" stroke="{stroke}"' + (f' stroke-dasharray="{dash}"/>' if dash else "/>")


def _slider(name, label, value, bounds, origin, unit, **looks):
    """A handle on a straight rail. bounds: least, most and step; 0 stands at `origin`, and `unit` leads from 0 to 1."""
    low, high, here = (np.add(origin, np.multiply(v, unit)) for v in (bounds[0], bounds[1], value))
    rail = " ".join(_round(v) for v in (*origin, *unit))
    return (f'<path d="M{low[0]:g} {low[1]:g}L{high[0]:g} {high[1]:g}" stroke="{PALE}" stroke-width="4" '
            'stroke-linecap="round"/>' + _handle(name, label, bounds, *here, f' data-rail="{rail}"', **looks))


def _handle(name, label, bounds, x, y, rail="", beside="", wide=False, colour="#fff"):
    """What a finger takes hold of: a knob on a transparent disc of the size of a fingertip."""
    w, h = (20, 10) if wide else (11, 11)
    return (f'<g data-is="{name}" data-label="{label}" data-range="{" ".join(map(str, bounds))}"{rail} '
            f'transform="translate({_round(x)} {_round(y)})"><circle r="20" fill="transparent"/>'
            f'<rect class="knob" x="{-w}" y="{-h}" width="{2 * w}" height="{2 * h}" rx="{h}" fill="{colour}" '
            f'stroke="{INK}" stroke-width="1.5"/>{beside}</g>')


def _arrow(x, y, unit, vector, colour, name):
    """An arrow that lies along the axis and is turned by a transform."""
    length, angle = unit * np.hypot(*vector), np.degrees(np.arctan2(vector[1], vector[0]))
    neck = max(length - 10, 0)
    return (f'<g transform="translate({x} {y})"><path data-is="{name}" transform="rotate({_round(-angle)})" '
            f'd="M0-2H{_round(neck)}V-6L{_round(length)} 0L{_round(neck)} 6V2H0Z" fill="{colour}" stroke="{INK}"/></g>')


def _box(half, top, bottom, colour, name=""):
    return (f'<rect data-is="{name}" x="{-half:.1f}" y="{top}" width="{2 * half:.1f}" height="{bottom - top}" rx="3" '
            f'fill="#fff" stroke="{colour}" stroke-width="1.5"/>')
