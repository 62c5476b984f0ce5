"""The adapter for servers that speak the chat completions of OpenAI."""
