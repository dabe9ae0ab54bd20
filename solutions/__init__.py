"""What the labs are judged by, and what was trained for the course.

A lab's `checks.py` holds a generator for each exercise, each verdict a line of feedback and a share of its points. It
is called in the marking room once per submission, at the exercise's check cell. All sizes in a case differ, so that no
transposed axis can pass, and each case states a law that the lab has taught; a lab says where that is not so.
"""
