"""What each product invites its readers to conclude, compared with the raw records of simulated centres."""
