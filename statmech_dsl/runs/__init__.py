"""How chains are arranged: one file for each verb that runs them."""
