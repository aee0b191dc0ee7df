"""The command line: wires services, talks to the API, receives webhooks."""
