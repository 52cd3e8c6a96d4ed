"""``python -m servitwin.bootstrap``: the console command, and the entry of the supervisor and of child processes."""

import sys

from servitwin.bootstrap import main

match sys.argv[1:]:
    case ["worker", role, parent]:
        from servitwin.bootstrap import worker

        worker.main(role, int(parent))
    case ["solve", service, parent]:
        from servitwin.bootstrap import solve

        solve.main(service, int(parent))
    case ["supervise", word, handed_over]:
        from servitwin.bootstrap import serve

        sys.exit(serve.supervise(word, int(handed_over)))
    case _:
        main()
