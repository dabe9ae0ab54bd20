"""The hostile corpus: submissions of the tests' own lab, each of which tries one thing that it should not.

Whoever wrote them has read the grader's source, knows where things lie and what the canaries are called; nothing here
is safe because it is unknown. `corpus` holds a module for each kind of attack, `attack` what they are made of, and
`canaries` the secrets that they are after, which must never turn up in a graded notebook.

test_attacks.py runs them on our grader, table.py on ours and on stock nbgrader. Run them nowhere else: some would fill
a disk, or end every process that they can reach.
"""
