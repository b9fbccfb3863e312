"""What an input, an instant or a new plan does to a contact, and why."""
