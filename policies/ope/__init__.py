"""Off-policy evaluation: what a policy would earn, from episodes that another one acted in; learners are not in it."""
