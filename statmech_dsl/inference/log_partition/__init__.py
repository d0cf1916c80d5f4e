"""Log Z as a function of couplings: sums, eliminations, and surfaces from draws."""
