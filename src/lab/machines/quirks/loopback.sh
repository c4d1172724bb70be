# The name of the host leads to 127.0.1.1, as the installer of Debian writes it.
name=$(uname -n)
{ printf '127.0.1.1\t%s.lab %s\n' "$name" "$name"; cat /etc/hosts; } > /etc/hosts.new && mv /etc/hosts.new /etc/hosts
