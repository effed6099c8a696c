# debian.tar : a Debian with what its cases call. Read by programs.sh.
# shellcheck shell=bash
debian debian apt ed,patch,rsync,vim-tiny,python3-minimal,acl,attr,libcap2-bin,rpm,pacman-package-manager,libarchive-tools,lxc
