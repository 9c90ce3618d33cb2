"""What every exit answers for every sample, along every path that a policy may take."""
