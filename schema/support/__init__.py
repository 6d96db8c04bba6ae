"""Customer service: frequent questions, and when and how people answer."""
