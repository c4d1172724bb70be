# {{policy_header}}
#
# cfrun runs only on these: the members and the registered clients. A host whose name begins like a setting of this file (access, domain,
# hostna, include, maxchild, outputdir, outputlevel, bindtointerface) is listed by its address, because cfrun would skip the line.
domain = {{domain}}
# Parallel runs; the default is one after the other.
maxchild = 10
access = root
{{remote_hosts}}
