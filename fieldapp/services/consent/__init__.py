"""What people say about consent, and their standing consent."""
