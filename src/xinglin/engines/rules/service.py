"""What the engine process answers about measures to the web processes: figures kept per snapshot, trends, the people behind a number."""
