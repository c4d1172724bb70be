# {{policy_header}}
#
# cfrun runs only on these: the members and the registered clients.
domain = {{domain}}
# Parallel runs; the default is one after the other.
maxchild = 10
access = root
{{remote_hosts}}
