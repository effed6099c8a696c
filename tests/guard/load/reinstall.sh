#!/bin/sh
# Runs in a guest: installs anew the packages that are named on the standard input, and says what dpkg finds then.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive
code=0
xargs apt-get -y -o Dpkg::Options::=--force-confold --reinstall install || code=$?
dpkg -V | sed 's/^/verified: /'
dpkg --audit
[ "$(dpkg-query -W -f '${db:Status-Abbrev}\n' | grep -vc '^ii')" = 0 ] || code=1
exit $code
