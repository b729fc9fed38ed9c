"""Ways for a file or a notice to leave: SFTP, S3, e-mail; and where each may go."""
