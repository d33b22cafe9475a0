"""What will exist, in no daemon's language: everything derived once, nothing optional left to guess."""
