"""What readers of several formats share: plain text, tables, clean-up."""
