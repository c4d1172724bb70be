import * as files from '../../host/lab/lab-files.ts';
import { cmclusterConf, hostsFile, type LabSpec, sgDirectories } from './lab-spec.ts';
import utilities from './stand-ins/utilities.sh';

/** /etc/hosts is the only resolver; profiles are empty, since this machine's would run at each login. */
export function furnishHost(disk: string, spec: LabSpec, host: string): void {
  files.writeText(`${disk}/etc/hosts`, hostsFile(spec));
  files.writeText(`${disk}/etc/hostname`, `${host}\n`);
  files.writeText(`${disk}/etc/nsswitch.conf`, 'passwd: files\ngroup: files\nhosts: files\nservices: files\n');
  files.writeText(`${disk}/etc/resolv.conf`, '');
  for (const name of ['.bashrc', '.bash_profile', '.profile'])
    files.writeText(`${disk}/root/${name}`, '# Lab: nothing is set here.\n');
}

export function furnishMember(disk: string, spec: LabSpec): void {
  files.writeText(`${disk}/etc/cmcluster.conf`, cmclusterConf());
  files.writeText(`${disk}${sgDirectories.SGCONF}/scripts/mscripts/utils.sh`, utilities, 0o755);
  files.makeDirectory(`${disk}${sgDirectories.SGRUN}/log`);
  files.makeDirectory(`${disk}${spec.settings.mountPoint}`);
}
