"""The Python interface: what ``import scenelet`` offers, and nothing else promises to stay.

Examples
--------
>>> import scenelet as sc
>>> model = sc.load("firmware/models/default.tflite")  # doctest: +SKIP
>>> model.classify(samples, 44_100)[0].label  # doctest: +SKIP
'rain'
"""

from .model import Decision as Decision
from .model import Model as Model
from .model import load as load
from .work import export as export
from .work import features as features
from .work import train as train
