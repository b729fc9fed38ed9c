"""Records: intake, folding, corrections, reviews, attachments, lists, export for the centre."""
