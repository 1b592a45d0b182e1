"""Quality rules, language, near-duplicates, personal data, licences, the train and test split."""
