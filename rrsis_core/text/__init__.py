"""What the user says: the words that are known, expressions, token ids."""
