"""The ids by which Gymnasium makes the calls; importing this imports neither call, and NumPy only as Gymnasium does.

Gymnasium 1 loads no plugins by itself, so the id names this module: `gymnasium.make("dialogue.environments.gym_ids:judge/DebtCall-v0")`.
"""

import gymnasium

gymnasium.register(id="judge/DebtCall-v0", entry_point="dialogue.environments.debt_call:DebtCall")
gymnasium.register(id="judge/SalesCall-v0", entry_point="dialogue.environments.sales_call:SalesCall")
