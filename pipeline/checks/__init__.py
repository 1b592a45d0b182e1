"""What an example must pass, one idea a file."""
