# Logins set a Turkish or a German locale, whether it is installed or not. $2: number of the host.
name=tr_TR.UTF-8
[ $(($2 % 2)) = 1 ] || name=de_DE.UTF-8
mkdir -p /root/.config/fish
for variable in LANG LC_ALL; do
  echo "export $variable=$name" >> /root/.bashrc
  echo "setenv $variable $name" >> /root/.cshrc
  echo "set -gx $variable $name" >> /root/.config/fish/config.fish
done
