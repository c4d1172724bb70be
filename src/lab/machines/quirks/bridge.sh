# Bridges of virtual machines and containers have the same address on each host.
bridge() {
  ip link add "$1" type bridge && ip address add "$2" dev "$1" && ip link set "$1" up
}
bridge virbr0 192.168.122.1/24 && bridge docker0 172.17.0.1/16
