"""The summary that people read: figures from the protected tables, drawn last."""
