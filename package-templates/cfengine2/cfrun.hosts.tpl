# {{policy_header}}
#
# cfrun calls these and no others: the members and the registered clients.
domain = {{domain}}
# At a time; the default is one after the other.
maxchild = 10
access = root
{{remote_hosts}}
