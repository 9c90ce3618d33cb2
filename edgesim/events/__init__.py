"""What befalls a world: links and nodes that fail, slow down or recover, bursts of arrivals, reports that get lost."""
