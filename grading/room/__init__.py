"""The exam room: a process apart in which a student's cells run (`room`), and the door to it (`wire`)."""
