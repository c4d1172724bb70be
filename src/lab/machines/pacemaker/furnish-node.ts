import * as files from '../../../host/lab/lab-files.ts';
import lvmActivate from '../stand-ins/lvm-activate.sh';
import clusterSide from './cluster-side.pl';
import clusterService from './lab-cluster.sh';

export const clusterProgram = '/usr/local/sbin/lab-cluster';

export interface ClusterOfLab {
  readonly name: string;
  readonly members: readonly { readonly name: string; readonly address: string }[];
  readonly key: Uint8Array;
}

export function furnishNode(disk: string, mountPoint: string, cluster: ClusterOfLab): void {
  files.writeText(`${disk}/etc/corosync/corosync.conf`, corosyncConf(cluster));
  files.writeText(`${disk}/etc/corosync/authkey`, cluster.key, 0o400);
  files.writeText(`${disk}/etc/csync-lab/cib.xml`, firstConfiguration(cluster));
  files.writeText(`${disk}${clusterProgram}`, clusterService, 0o755);
  for (const name of ['fence_csync_lab', 'alert_csync_lab']) files.writeText(`${disk}/usr/sbin/${name}`, clusterSide, 0o755);
  files.writeText(`${disk}/usr/lib/ocf/resource.d/heartbeat/LVM-activate`, lvmActivate, 0o755);
  files.makeDirectory(`${disk}${mountPoint}`);
}

function corosyncConf({ name: clusterName, members }: ClusterOfLab): string {
  const nodes = members.map(
    ({ name, address }, index) => `  node {\n    name: ${name}\n    nodeid: ${index + 1}\n    ring0_addr: ${address}\n  }\n`,
  );
  return `# Lab: the times are corosync's own.
totem {
  version: 2
  cluster_name: ${clusterName}
  transport: knet
  crypto_cipher: aes256
  crypto_hash: sha256
}
nodelist {
${nodes.join('')}}
quorum {
  provider: corosync_votequorum
}
logging {
  to_syslog: yes
  to_stderr: no
}
`;
}

/** With fencing. A fenced machine stays without power until `csync lab boot`, so that a test decides when it returns. */
function firstConfiguration(cluster: ClusterOfLab): string {
  const members = cluster.members.map(({ name }) => name);
  const pair = (owner: string, name: string, value: string): string =>
    `<nvpair id="${owner}-${name}" name="${name}" value="${value}"/>`;
  const properties = { 'stonith-enabled': 'true', 'stonith-action': 'off', 'dc-deadtime': '2s' };
  return `<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
<configuration>
<crm_config><cluster_property_set id="lab">${Object.entries(properties)
    .map(([name, value]) => pair('lab', name, value))
    .join('')}</cluster_property_set></crm_config>
<nodes/>
<resources><primitive id="lab_fence" class="stonith" type="fence_csync_lab"><instance_attributes id="lab_fence-parameters">${pair('lab_fence', 'pcmk_host_list', members.join(' '))}${pair('lab_fence', 'pcmk_host_check', 'static-list')}</instance_attributes></primitive></resources>
<constraints/>
<alerts><alert id="lab_alert" path="/usr/sbin/alert_csync_lab"/></alerts>
</configuration>
<status/>
</cib>
`;
}
