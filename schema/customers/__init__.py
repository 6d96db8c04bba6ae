"""Who the customers are: accounts, their people, and who is asking."""
