"""What goes in and what comes out: records as read, the events kept of them, changes, dead letters."""
