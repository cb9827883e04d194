"""`moviegen weights pull`: the one part of the product that fetches anything."""
