"""State to bytes and back."""
