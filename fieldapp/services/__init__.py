"""What can be done: one act a file. The listing of this folder is the table of contents of the product."""
