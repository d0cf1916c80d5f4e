"""Ways to learn: one file each, and one line here."""

from statmech_dsl.inference.learning.base import Fit, Learner, Task
from statmech_dsl.inference.learning.contrastive_divergence import (
    ContrastiveDivergence,
    PersistentChains,
)
from statmech_dsl.inference.learning.maximum_likelihood import MaximumLikelihood
from statmech_dsl.inference.learning.mean_field import MeanField
from statmech_dsl.inference.learning.pseudolikelihood import Pseudolikelihood

LEARNERS: dict[str, type[Learner]] = {
    learner.name: learner
    for learner in (
        MaximumLikelihood,
        Pseudolikelihood,
        PersistentChains,
        ContrastiveDivergence,
        MeanField,
    )
}
"""All methods, in the order in which "auto" asks them."""

__all__ = ["LEARNERS", "Fit", "Learner", "PersistentChains", "Task"]
