# Each login of root prints two lines before what it is to run, the second one without a line end: bash, csh and fish. $1: kind of host.
for file in .bashrc .cshrc .config/fish/config.fish; do
  mkdir -p "$(dirname "/root/$file")"
  cat >> "/root/$file" <<'END'
echo "*** Authorised use only ***"
printf "Welcome to the cluster: "
END
done
