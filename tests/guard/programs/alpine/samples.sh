#!/bin/bash
# samples.sh ROOT : puts into an Alpine what its cases work on, and makes a repository of apk in /opt/repo: small
# packages in two versions, with scripts that do what scripts of packages do, and each package that the guest has, made
# anew of its files, for there is no network in the emulator.
set -euo pipefail
root=$1
repo=$root/opt/repo
made=$(mktemp -d "$root/tmp/made.XXXXXX")
trap 'rm -rf "$made"' EXIT
apk() { chroot "$root" /sbin/apk --no-network "$@" > "$made/said" 2>&1 || { cat "$made/said" >&2; exit 1; }; }
inner=${made#"$root"}

# The kernel of the image and what makes its initramfs: a guest has none.
apk del linux-virt
mkdir -p "$repo"
echo ndx /opt/repo/Packages.adb > "$root/etc/apk/repositories"
echo allow-untrusted > "$root/etc/apk/config"

# Of each package in the database: lines KEY:VALUE for mkpkg, and the paths of what lies in it. /dev is mounted.
database=$root/lib/apk/db/installed
awk -v made="$made" -F: '
  BEGIN {
    split("P name V version A arch T description U url L license o origin m maintainer D depends p provides r replaces " \
      "i install-if k provider-priority", pairs, " ")
    for (at = 1; at in pairs; at += 2) key[pairs[at]] = pairs[at + 1]
  }
  { value = substr($0, 3) }
  /^C:/ { checksum = value }
  /^P:/ {
    out = made "/" value ".fields"
    list = made "/" value ".list"
    print checksum > (made "/" value ".checksum")
  }
  $1 in key { print key[$1] ":" value > out }
  /^F:/ { dir = value; if (dir != "" && dir !~ /^dev\//) print dir > list }
  /^R:/ { print (dir == "" ? "" : dir "/") value > list }
' "$database"
mkdir "$made/scripts"
tar -xf "$root"/lib/apk/db/scripts.tar* -C "$made/scripts"
for fields in "$made"/*.fields; do
  name=$(basename "$fields" .fields)
  version=$(sed -n 's/^version://p' "$fields")
  words=()
  while IFS= read -r field; do words+=(-I "$field"); done < "$fields"
  for script in "$made/scripts/$name-$version".X*; do
    if [ -e "$script" ]; then words+=(-s "${script##*.}:$inner/scripts/${script##*/}"); fi
  done
  triggers=$(grep -F "$(cat "$made/$name.checksum") " "$root/lib/apk/db/triggers" | cut -d ' ' -f 2- || true)
  for trigger in $triggers; do words+=(-t "$trigger"); done
  mkdir "$made/$name"
  touch "$made/$name.list"
  tar -C "$root" --no-recursion -cf - -T "$made/$name.list" | tar -xpf - -C "$made/$name"
  apk mkpkg "${words[@]}" -F "$inner/$name" -o "/opt/repo/$name-$version.apk"
done

# What a script of a package does to files that came with it or before. The same at its first installation, and later.
script=$made/script
cat > "$script" <<'S'
#!/bin/sh
set -e
cd /opt/post/NAME
chmod 750 a
chown daemon:daemon b
echo appended >> c
sed -i s/post/POST/ d
touch -d 2001-02-03 e
: > f
chmod -R go-w /usr/share/NAME
S
names=(fresh grown edited mended broken gone)
for name in "${names[@]}"; do
  sed "s/NAME/$name/" "$script" > "$script-$name"
  mkdir -p "$root/opt/post/$name"
  for file in a b c d e f; do echo "post $name $file" > "$root/opt/post/$name/$file"; done
done
# packages VERSION : of all these names, and an index of the repository
packages() {
  local name at files
  for name in "${names[@]}"; do
    files=$made/$name-$1
    mkdir -p "$files"/usr/{"share/$name",bin} "$files/etc/$name"
    for at in $(seq 0 9); do echo "$name $1 $at" > "$files/usr/share/$name/$at"; done
    for at in $(seq 10 19); do echo "$name, the same in every version $at" > "$files/usr/share/$name/$at"; done
    printf '#!/bin/sh\necho %s %s\n' "$name" "$1" > "$files/usr/bin/$name"
    chmod 755 "$files/usr/bin/$name"
    echo "setting = $1" > "$files/etc/$name/$name.conf"
    apk mkpkg -I "name:$name" -I "version:$1-r0" -I arch:noarch -I license:none -I "description:$name" \
      -s "post-install:$inner/script-$name" -s "post-upgrade:$inner/script-$name" \
      -F "$inner/$name-$1" -o "/opt/repo/$name-$1-r0.apk"
  done
  files=("$repo"/*.apk)
  apk mkndx -o /opt/repo/Packages.adb "${files[@]#"$root"}"
}
packages 1.0
# All but `fresh` are there, in the first version, and no file is yet as the scripts leave it. What came with the image
# is taken from the repository once, so that it can be taken from there again.
apk add --no-scripts grown edited mended broken gone
apk upgrade --available --no-scripts
packages 2.0
