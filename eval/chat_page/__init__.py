"""The page on which one talks to documents: its server, sessions, uploads, and links from answers to their places."""
