"""What the API speaks; pages are drawn from the same read models."""
