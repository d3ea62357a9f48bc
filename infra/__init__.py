"""Where the service runs: the cloud (template.yaml) and this machine (local/)."""
