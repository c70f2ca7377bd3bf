"""Takes relays back to what they were before the last deploy that changed them; again is the way forth.

pyinfra inventories/prod.py rollback.py
"""

from tasks.activation import generations

generations.former(name="Go back to the former relay, and prove it")
