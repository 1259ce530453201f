"""Use cases, one file each.  A command line, a daemon and a web page call these and nothing below them."""
