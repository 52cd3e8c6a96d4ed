"""The console command: thin, talks to a running node over the API."""
