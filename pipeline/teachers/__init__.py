"""Who answers: the embedded default takes the answers from the text itself."""
