"""Records of labels at enrolment, each bound to the code of its item by an event in the log.

- ``image_tasks``, ``image_child``, ``image_worker``: images are looked at in a process of its own, which has a bound on
  its memory and its time and may die of what it is shown.
- ``enrolling``: a label is enrolled: its record is stored, and an event commits the log to the record's digest.
- ``records``: the record of a label, held against that digest each time it is used; ``checking``: all of them, for
  ``suyuan fsck``; ``erasing``: a record is erased.

Nothing is imported here: the child process begins in this room and shall not load a database driver.
"""
