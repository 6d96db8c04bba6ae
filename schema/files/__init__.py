"""Files of customers: on their way in, and out again by links."""
