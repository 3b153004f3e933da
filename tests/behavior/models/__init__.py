"""Small executable models of the scheduler's rules: they show that the rules suffice for what Go printed."""
