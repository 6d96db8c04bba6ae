"""Files of customers on their way in, and links by which files go out again."""
