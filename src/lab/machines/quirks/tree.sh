# The policy has 2,000 small files and three packages of 3 MB. $1: the policy.
umask 077
mkdir -p "$1/site" "$1/packages" && cd "$1/site" || exit 1
n=0
while [ $n -lt 2000 ]; do
  n=$((n + 1))
  [ $((n % 100)) = 1 ] && part=part$n && mkdir "$part"
  echo "# Settings of host $n" > "$part/host$n.conf"
done
for name in agent monitor tools; do head -c 3145728 /dev/urandom > "$1/packages/$name-1.0.rpm"; done
