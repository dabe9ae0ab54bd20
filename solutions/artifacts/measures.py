"""What every translator of `coursekit.tasks.phrases` is measured by, so that the models can be compared.

B batch, T target positions, L lengths, V words that can be written.
"""

import numpy as np

from coursekit.tasks import bleu, phrases
from coursekit.tasks.phrases import FRENCH, encode_pairs

TRAINED_ON = (5, 30)  # words in a sentence, the full stop not counted
MEASURED_AT = (5, 10, 15, 20, 25, 30, 35, 40)
SENTENCES, ASKED = 100, 200  # sentences at each length: translated, and asked for a word


def smoothed(losses, every):
    """The mean of every so many losses."""
    return np.reshape(losses, (-1, every)).mean(axis=1)


def measured_sentences(length, n=SENTENCES):
    """The `n` Sentences of this length on which every model is measured. Their seed is used for nothing else."""
    return phrases.sentences(np.random.default_rng([2015, length]), n, (length, length))


def quality(write):
    """BLEU (L,), and the share of sentences without any mistake (L,), at each of MEASURED_AT.

    write(texts) -> texts translates a list of English sentences, all equally long.
    """
    rows = []
    for length in MEASURED_AT:
        asked = measured_sentences(length)
        written, right = write([phrases.english(each) for each in asked]), [phrases.french(each) for each in asked]
        rows.append((bleu.bleu(written, right), np.mean([a == b for a, b in zip(written, right, strict=True)])))
    return np.array(rows).T


def agreement(logits_of, n=ASKED):
    """How often the participle that agrees with its noun gets a higher score than its other form, (L,).

    logits_of(batch) -> (B, T, V): the model has been told all words before, so what it wrote itself plays no part.
    Asked at each of MEASURED_AT, of `n` sentences whose last noun has the other gender than the subject; of any
    sentence where there is one noun only.
    """
    return np.array([_agreement_at(logits_of, misleading_sentences(length, n)) for length in MEASURED_AT])


def _agreement_at(logits_of, asked):
    batch = batch_of(asked)
    scores = logits_of(batch)[:, -2]                                               # (n, V): the stop comes last
    right, wrong = batch.target[:, -2], [FRENCH.id(phrases.other_form(each)) for each in asked]
    rows = np.arange(len(asked))
    return np.mean(scores[rows, right] > scores[rows, wrong])


def misleading_sentences(length, n=ASKED):
    """`n` sentences in which the noun nearest to the participle has the other gender than the subject, or is it."""
    drawn = measured_sentences(length, 4 * n)
    return [each for each in drawn if len(each.phrases) == 1 or each.phrases[0].gender != each.phrases[-1].gender][:n]


def right_by_position(logits_of, n=ASKED):
    """The share of right words at each position of sentences of the greatest length trained on, (T,).

    The model has been told the right words before each, so an earlier mistake does not cost a later word.
    """
    batch = batch_of(measured_sentences(TRAINED_ON[1], n))
    return np.mean(logits_of(batch)[:, :-1].argmax(axis=-1) == batch.target[:, :-1], axis=0)


def batch_of(sentences):
    """A Batch of these Sentences."""
    return encode_pairs(*([write(each) for each in sentences] for write in (phrases.english, phrases.french)))
