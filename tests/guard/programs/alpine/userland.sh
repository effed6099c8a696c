# alpine.tar : an Alpine with its own apk, that a package of PyPI brings. Read by programs.sh.
# shellcheck shell=bash disable=SC2154
[ -e "$archive" ] || "$here/../data/guests/alpine.sh" "$archive"
