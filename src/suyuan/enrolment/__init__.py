"""Records of labels at enrolment, each bound to the code of its item by an event in the log."""
