# Serviceguard package {{package_name}} (legacy): {{package_description}}
# Rendered by the csync toolkit {{toolkit_version}} from settings {{settings_digest}}.
# Do not edit: change csync.yaml or the template and render again. The next render reports a hand edit.
# The control script handles volume group, file system, address and the command of the service, by settings.json.

PACKAGE_NAME                {{package_name}}
# Runs on one member at a time.
PACKAGE_TYPE                FAILOVER

# CONFIGURED_NODE: the first eligible member of the list below. MIN_PACKAGE_NODE: the one with the fewest packages.
FAILOVER_POLICY             {{failover_policy}}
# AUTOMATIC: moves back to the first member as soon as it can.
FAILBACK_POLICY             {{failback_policy}}

# Members that may run the package, in order of preference.
{{node_names}}

# YES: starts with the cluster and fails over automatically. After a cmhaltpkg it is disabled until cmmodpkg -e {{package_name}}.
AUTO_RUN                    {{auto_run}}
# YES: a script time-out or a lost subnet reboots the member, so that the package moves without an administrator.
NODE_FAIL_FAST_ENABLED      {{node_fail_fast}}

# The control script, called with start and with stop. It is in the set of files that every member runs.
RUN_SCRIPT                  {{package_directory}}/sets/{{set_digest}}/csync_control.sh
# Seconds. A script that hangs is killed at its limit; then check the package log.
RUN_SCRIPT_TIMEOUT          {{run_script_timeout}}
HALT_SCRIPT                 {{package_directory}}/sets/{{set_digest}}/csync_control.sh
HALT_SCRIPT_TIMEOUT         {{halt_script_timeout}}
SCRIPT_LOG_FILE             {{script_log_file}}

# A member that loses this subnet loses the package. The address {{package_address}} ({{package_dns_name}}) is in it.
SUBNET                      {{package_subnet}}

# The monitor, which the control script starts (cmrunserv). Its exit, with any status, is the failure of the daemon.
SERVICE_NAME                {{package_name}}_monitor
SERVICE_FAIL_FAST_ENABLED   {{service_fail_fast}}
SERVICE_HALT_TIMEOUT        {{service_halt_timeout}}
