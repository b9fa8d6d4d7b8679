"""The command line: one file per station; this one fixes what must be fixed before any import."""

import os

# One BLAS thread: the order of a sum must not depend on the machine. Plain help: 0.5 s faster.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("TYPER_USE_RICH", "0")
