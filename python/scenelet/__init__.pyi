from .api import Decision as Decision
from .api import Model as Model
from .api import export as export
from .api import features as features
from .api import load as load
from .api import train as train

__version__: str
