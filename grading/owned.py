"""Whose is a file? What runs as the instructor, a configuration above all, must be in the instructor's own hands.

As with ssh's StrictModes: the file and each folder above it belong to you or to the system, and nobody else may write
there. In a sticky folder such as /tmp others may, since they cannot touch what is yours.
"""

import grp
import os
import pwd
import stat
import sys
from pathlib import Path

FROM_STUDENTS = ("submitted", "autograded", "feedback", "downloaded")  # nbgrader's folders of what was handed in
CLASS = ("gradebook.db", "nbgrader_config.py")  # either of them tells a class's folder


def trouble(path):
    """Why this file or folder is not in your hands alone, as a sentence that says what to do; None if it is."""
    path = Path(os.path.realpath(path))
    return next(filter(None, map(_trouble, [path, *path.parents])), None) or _handed_in(path)


def trouble_with_folder(folder):
    """The same of a folder in which you keep a class: it must be yours, not the system's, and not one as /tmp."""
    about = os.stat(folder)
    if about.st_uid != os.geteuid():
        return f"{folder} belongs to {_user(about.st_uid)}, not to you: choose a folder of your own"
    return _writable(folder, about) or trouble(folder)


def allow_imports_from_here():
    """Import from the current folder too, if it is yours, as nbgrader does: but only what is found nowhere else."""
    if not trouble(os.getcwd()) and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())


def _trouble(path):
    about = os.lstat(path)
    if about.st_uid not in {os.geteuid(), 0, os.stat("/").st_uid}:
        return f"{path} belongs to {_user(about.st_uid)}, not to you: do this as that user, or in a folder of your own"
    sticky = stat.S_ISDIR(about.st_mode) and about.st_mode & stat.S_ISVTX
    return None if sticky else _writable(path, about)


def _writable(path, about):
    others = about.st_mode & stat.S_IWOTH or (about.st_mode & stat.S_IWGRP and not _is_private(about.st_gid))
    return f"{path} can be written to by others: chmod go-w {path}" if others else None


def _is_private(group):
    """Is nobody but you in this group? Debian, Ubuntu and Fedora give each user such a group, which may then write."""
    try:
        me, members = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group).gr_mem
    except KeyError:
        return False
    return {user.pw_name for user in pwd.getpwall() if user.pw_gid == group} | set(members) == {me}


def _user(number):
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _handed_in(path):
    """A folder that was collected is yours, and what is in it is a student's all the same."""
    for folder in [path, *path.parents]:
        if folder.name in FROM_STUDENTS and any((folder.parent / name).exists() for name in CLASS):
            return f"{folder} holds what students handed in: start in {folder.parent} instead"
    return None
