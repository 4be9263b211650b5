"""Where documents go: index names from their own time, and the templates that map their fields."""
