# csync prints its own completions.
complete -c csync -f -a '(csync --get-yargs-completions (commandline -opc) (commandline -ct))'
