"""The suites that come with the project: one YAML file each, with its reference clips' quantiles beside it."""
