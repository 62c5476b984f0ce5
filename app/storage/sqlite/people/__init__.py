"""Who answers a conversation, what people said, and what is told outside."""
