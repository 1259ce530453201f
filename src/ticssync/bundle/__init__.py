"""The evidence bundle: one ZIP that opens with nothing installed and can be checked with plain tools.

snapshot   what goes in, as plain frozen values (pure)
layout     which files, under which names, with which makers (pure)
report     pages and workbooks of one snapshot
container  the ZIP's own bytes, predictable to the last one
write      originals checked, everything hashed, signed and streamed
keys · sign · sshsig    the company's key and its two signatures
verify     five answers about a bundle, without unpacking it
"""
