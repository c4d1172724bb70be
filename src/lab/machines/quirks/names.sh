# The host is called by its full name, in capitals on each second one. $2: number of the host.
name=$(uname -n).lab
[ $(($2 % 2)) = 1 ] || name=$(echo "$name" | tr 'a-z' 'A-Z')
hostname "$name"
