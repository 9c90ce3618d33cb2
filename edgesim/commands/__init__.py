"""What the commands of the command line do with the terminal: progress, tables, messages."""
