"""Links: how fast bits flow over time, who shares them, and what a device can estimate of it."""
