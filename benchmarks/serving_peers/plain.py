"""Which definition of the model the peers serve: the only place that names it."""

from .stand_in import PlainModel as PlainModel
