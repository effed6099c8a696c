#!/bin/bash
# userland.sh OUT.tar : an Alpine with its own apk, that a package of PyPI brings
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/../../../data/guests/alpine.sh" "$1"
