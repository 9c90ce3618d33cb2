"""Why requests end without an answer, as the engine says it in the records; a policy may give reasons of its own."""

QUEUE_FULL = "queue full"
DEADLINE = "deadline"
"""An aborting node gave it up."""
CANCELLED = "cancelled"
LOST = "lost"
"""Its upload, or its only answer, was given up on the way."""
END_OF_RUN = "end of run"
