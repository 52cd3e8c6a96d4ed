"""``python -m servitwin.bootstrap``: the console command, and the entry of child processes."""

import sys

from servitwin.bootstrap import main

if len(sys.argv) == 4 and sys.argv[1] == "worker":
    from servitwin.bootstrap import worker

    worker.main(sys.argv[2], int(sys.argv[3]))
else:
    main()
