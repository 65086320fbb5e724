"""What each recurrent cell remembers, and for how long."""
