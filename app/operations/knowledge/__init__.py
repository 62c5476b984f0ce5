"""What the owner does with an assistant's knowledge: documents, answers, gaps, learning."""
