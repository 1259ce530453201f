# Every target only calls dev.py, so that Windows has the same commands: py dev.py demo
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$name" && break; done)
ifeq ($(strip $(PYTHON)),)
$(error Python 3.11 or later was not found. Install it, or say where it is: make PYTHON=/path/to/python3)
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo quick test coverage lint docs messages lock faults bench

help:
	@"$(PYTHON)" dev.py --help

setup demo quick test coverage lint docs messages lock faults bench:
	@"$(PYTHON)" dev.py $@ $(ARGS)
