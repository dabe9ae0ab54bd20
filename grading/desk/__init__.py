"""Marking by hand: a page that shows one question's answers of all students. `python -m grading mark` opens it.

    rubric.py      what a marking scheme gives points for
    hand_marks.py  the gradebook: who has which mark and comment, and for what; what two people do at once
    answers.py     an answer as it stands in the graded notebook, as HTML that is safe to show
    server.py      the page, on this machine alone, for who has the token
"""
