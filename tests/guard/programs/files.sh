#!/bin/bash
# files.sh ROOT : puts into a guest what cases of programs.sh write to: /opt/w, and an archive of a part of it.
set -euo pipefail
root=$1
mkdir -p "$root"/opt/{w/{tree,grove,copse},repo}
for at in $(seq 100 199); do echo "content $at 0123456789 word" > "$root/opt/w/$at"; done
for at in $(seq 0 49); do for dir in tree grove copse; do echo "$dir $at" > "$root/opt/w/$dir/$at"; done; done
printf 'def f():\n    return 1\n' > "$root/opt/w/module.py"
(cd "$root/opt/w" && tar -cf "$root/opt/repo/tree.tar" tree)
