"""How an OpenAI-compatible endpoint is asked, paid and recorded."""
