"""What a person writes: parsed, typed, located."""
