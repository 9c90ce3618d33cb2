"""What a user may write: one YAML file that says everything about a run."""
