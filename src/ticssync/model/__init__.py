"""The nouns: small frozen values, standard library only, no I/O."""
