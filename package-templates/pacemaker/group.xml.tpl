<!-- Resource group of csync: the cfengine master.
     Rendered by the csync toolkit {{toolkit_version}} from settings {{settings_digest}}.
     Do not edit: change csync.yaml or the template and render again. The next render reports a hand edit. -->
<configuration>
  <resources>
    <group id="{{package_name}}">
      <meta_attributes id="{{package_name}}-meta_attributes">
        <nvpair id="{{package_name}}-meta_attributes-migration-threshold" name="migration-threshold" value="{{migration_threshold}}"/>
        <nvpair id="{{package_name}}-meta_attributes-resource-stickiness" name="resource-stickiness" value="{{resource_stickiness}}"/>
        <nvpair id="{{package_name}}-meta_attributes-target-role" name="target-role" value="{{target_role}}"/>
      </meta_attributes>
      <primitive id="{{package_name}}_vg" class="ocf" provider="heartbeat" type="LVM-activate">
        <instance_attributes id="{{package_name}}_vg-instance_attributes">
          <nvpair id="{{package_name}}_vg-instance_attributes-vgname" name="vgname" value="{{volume_group}}"/>
          <nvpair id="{{package_name}}_vg-instance_attributes-lvname" name="lvname" value="{{logical_volume}}"/>
          <nvpair id="{{package_name}}_vg-instance_attributes-vg_access_mode" name="vg_access_mode" value="system_id"/>
        </instance_attributes>
        <operations>
          <op id="{{package_name}}_vg-start" name="start" interval="0s" timeout="90s"/>
          <op id="{{package_name}}_vg-stop" name="stop" interval="0s" timeout="90s"/>
          <op id="{{package_name}}_vg-monitor" name="monitor" interval="30s" timeout="90s"/>
        </operations>
      </primitive>
      <primitive id="{{package_name}}_pre" class="ocf" provider="csync" type="master">
        <instance_attributes id="{{package_name}}_pre-instance_attributes">
          <nvpair id="{{package_name}}_pre-instance_attributes-role" name="role" value="pre"/>
          <nvpair id="{{package_name}}_pre-instance_attributes-directory" name="directory" value="{{package_directory}}"/>
          <nvpair id="{{package_name}}_pre-instance_attributes-set" name="set" value="{{set_digest}}"/>
          <nvpair id="{{package_name}}_pre-instance_attributes-digest" name="digest" value="{{settings_digest}}"/>
          <nvpair id="{{package_name}}_pre-instance_attributes-mount_point" name="mount_point" value="{{mount_point}}"/>
        </instance_attributes>
        <operations>
          <op id="{{package_name}}_pre-start" name="start" interval="0s" timeout="{{run_script_timeout}}s"/>
          <op id="{{package_name}}_pre-stop" name="stop" interval="0s" timeout="{{halt_script_timeout}}s"/>
          <op id="{{package_name}}_pre-monitor" name="monitor" interval="10s" timeout="20s"/>
          <op id="{{package_name}}_pre-reload" name="reload" interval="0s" timeout="20s"/>
        </operations>
      </primitive>
      <primitive id="{{package_name}}_fs" class="ocf" provider="heartbeat" type="Filesystem">
        <instance_attributes id="{{package_name}}_fs-instance_attributes">
          <nvpair id="{{package_name}}_fs-instance_attributes-device" name="device" value="/dev/{{volume_group}}/{{logical_volume}}"/>
          <nvpair id="{{package_name}}_fs-instance_attributes-directory" name="directory" value="{{mount_point}}"/>
          <nvpair id="{{package_name}}_fs-instance_attributes-fstype" name="fstype" value="{{file_system_type}}"/>
          <nvpair id="{{package_name}}_fs-instance_attributes-options" name="options" value="{{mount_options}}"/>
        </instance_attributes>
        <operations>
          <op id="{{package_name}}_fs-start" name="start" interval="0s" timeout="60s"/>
          <op id="{{package_name}}_fs-stop" name="stop" interval="0s" timeout="60s"/>
          <op id="{{package_name}}_fs-monitor" name="monitor" interval="20s" timeout="40s"/>
        </operations>
      </primitive>
      <primitive id="{{package_name}}_ip" class="ocf" provider="heartbeat" type="IPaddr2">
        <instance_attributes id="{{package_name}}_ip-instance_attributes">
          <nvpair id="{{package_name}}_ip-instance_attributes-ip" name="ip" value="{{package_address}}"/>
        </instance_attributes>
        <operations>
          <op id="{{package_name}}_ip-start" name="start" interval="0s" timeout="20s"/>
          <op id="{{package_name}}_ip-stop" name="stop" interval="0s" timeout="20s"/>
          <op id="{{package_name}}_ip-monitor" name="monitor" interval="10s" timeout="20s"/>
        </operations>
      </primitive>
      <primitive id="{{package_name}}_main" class="ocf" provider="csync" type="master">
        <instance_attributes id="{{package_name}}_main-instance_attributes">
          <nvpair id="{{package_name}}_main-instance_attributes-role" name="role" value="main"/>
          <nvpair id="{{package_name}}_main-instance_attributes-directory" name="directory" value="{{package_directory}}"/>
          <nvpair id="{{package_name}}_main-instance_attributes-set" name="set" value="{{set_digest}}"/>
          <nvpair id="{{package_name}}_main-instance_attributes-digest" name="digest" value="{{settings_digest}}"/>
        </instance_attributes>
        <operations>
          <op id="{{package_name}}_main-start" name="start" interval="0s" timeout="{{run_script_timeout}}s"/>
          <op id="{{package_name}}_main-stop" name="stop" interval="0s" timeout="{{halt_script_timeout}}s"/>
          <op id="{{package_name}}_main-monitor" name="monitor" interval="10s" timeout="20s"/>
          <op id="{{package_name}}_main-reload" name="reload" interval="0s" timeout="20s"/>
        </operations>
      </primitive>
    </group>
  </resources>
  <constraints>
{{locations}}
  </constraints>
</configuration>
