"""The commands of `moviegen`, grouped by what they are about."""
