"""Bandits: learn while deciding; every choice is drawn, and its probability is kept.

arms = LinearArms(features=3)
decision = lin_thompson(arms, context, eligible, key=customer_id, seed=7, purpose="banner")
arms.learn(decision.arm, context, reward)
"""

from regulars.decide.bandits.awaiting import Awaited, Awaiting
from regulars.decide.bandits.beta_thompson import beta_thompson, chances_of_best
from regulars.decide.bandits.drawing import Decision
from regulars.decide.bandits.epsilon_greedy import epsilon_greedy
from regulars.decide.bandits.lin_thompson import lin_thompson
from regulars.decide.bandits.lin_ucb import lin_ucb
from regulars.decide.bandits.linear_arms import LinearArms

__all__ = [
    "Awaited",
    "Awaiting",
    "Decision",
    "LinearArms",
    "beta_thompson",
    "chances_of_best",
    "epsilon_greedy",
    "lin_thompson",
    "lin_ucb",
]
