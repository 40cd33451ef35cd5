"""Write the decimator's generated headers from the design in scenelet.frontend.decimator."""

from scenelet.core.files import write_text
from scenelet.frontend.decimator_native import CIC_HEADER, HEADER, render_cic_table, render_taps

if __name__ == "__main__":
    write_text(HEADER, render_taps())
    write_text(CIC_HEADER, render_cic_table())
