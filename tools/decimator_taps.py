"""Write firmware/lib/frontend/scn_decimator_taps.h from the design in scenelet.frontend.decimator."""

from scenelet.files import write_text
from scenelet.frontend.decimator_c import HEADER, render_taps

if __name__ == "__main__":
    write_text(HEADER, render_taps())
