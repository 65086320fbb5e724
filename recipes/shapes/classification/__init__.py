"""Many to one: which language a string is in, which digit is spoken."""
