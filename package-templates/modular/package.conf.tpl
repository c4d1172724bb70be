# Serviceguard package {{package_name}}: {{package_description}}
# Rendered by the csync toolkit {{toolkit_version}} from settings {{settings_digest}}.
# Do not edit: change csync.yaml or the template and render again. The next render reports a hand edit.

package_name                {{package_name}}
package_description         "{{package_description}}"

# Failover package: runs on one member at a time.
module_name                 sg/failover
module_version              1
module_name                 sg/monitor_subnet
module_version              1
module_name                 sg/package_ip
module_version              1
module_name                 sg/volume_group
module_version              1
module_name                 sg/filesystem
module_version              1
module_name                 sg/service
module_version              1
module_name                 sg/external_pre
module_version              1
module_name                 sg/external
module_version              1
module_name                 sg/pev
module_version              1
package_type                failover

# Members that may run the package, in order of preference.
{{node_names}}

# yes: starts with the cluster and fails over automatically. After a cmhaltpkg it is disabled until cmmodpkg -e {{package_name}}.
auto_run                    {{auto_run}}
# yes: a script time-out or a lost subnet reboots the member, so that the package moves without an administrator.
node_fail_fast_enabled      {{node_fail_fast}}

# Seconds. A script that hangs is killed at its limit; then check the package log.
run_script_timeout          {{run_script_timeout}}
halt_script_timeout         {{halt_script_timeout}}
successor_halt_timeout      no_timeout

script_log_file             {{script_log_file}}
log_level                   {{log_level}}

failover_policy             {{failover_policy}}
failback_policy             {{failback_policy}}
priority                    {{priority}}

# A member that loses this subnet loses the package.
monitored_subnet            {{package_subnet}}
monitored_subnet_access     FULL

# The address of {{package_dns_name}}, which clients use.
ip_subnet                   {{package_subnet}}
ip_address                  {{package_address}}

# The policy file system.
vgchange_cmd                "vgchange -a y"
vg                          {{volume_group}}
fs_name                     /dev/{{volume_group}}/{{logical_volume}}
fs_directory                {{mount_point}}
fs_type                     "{{file_system_type}}"
fs_mount_opt                "{{mount_options}}"
fs_umount_opt               ""
fs_fsck_opt                 ""
# Never mount over a mount point that is in use: 0 retries, no fuser at mount.
fs_mount_retry_count        0
# At a halt, processes that still use it are killed (fuser) before the next try.
fs_umount_retry_count       2

# The monitor. Its exit, with any status, is the failure of cfengine's daemon.
service_name                {{package_name}}_monitor
service_cmd                 "{{package_directory}}/csync.sh monitor"
service_restart             {{service_restart}}
service_fail_fast_enabled   {{service_fail_fast}}
service_halt_timeout        {{service_halt_timeout}}

# csync_pre.sh: before the storage at a start, after it at a halt. csync.sh: after address and storage at a start, before them at a halt.
external_pre_script         {{package_directory}}/csync_pre.sh
external_script             {{package_directory}}/csync.sh

# The set of files that every member runs, in {{package_directory}}/sets, and the digest of its settings.
pev_csync_set_digest        {{set_digest}}
pev_csync_settings_digest   {{settings_digest}}
pev_csync_toolkit_version   {{toolkit_version}}
