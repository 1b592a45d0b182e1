"""Questions about held-out documents: which are asked, what a reply is worth, and the sums of scores."""
