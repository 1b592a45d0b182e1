"""Sources files, downloads over checked addresses, rate limits, robots.txt, the lock file."""
