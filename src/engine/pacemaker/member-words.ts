/** What the member scripts log, in Pacemaker's words. They are written in Serviceguard's; a bundle has no room for an engine. Pure. */

/** The first that fits a command; names of members and packages are kept. */
const commands: readonly (readonly [RegExp, string])[] = [
  [/\bcmmodpkg -e -n (\S+) ([\w.-]+)/g, 'crm_resource --cleanup --resource $2 --node $1'],
  [/\bcmmodpkg -e ([\w.-]+)/g, 'crm_resource --cleanup --resource $1'],
  [/\bcmmodpkg -m on ([\w.-]+) allows a partial start/g, 'on a member without the group, mount the file system by hand'],
  [/\bcmviewcl -v -p [\w.-]+/g, 'crm_mon -1 -r -f'],
  [/\bcmrunnode ([\w.-]+)/g, 'crm_standby --node $1 --delete'],
  [/\bcmviewcl\b/g, 'crm_mon'],
  [/\bServiceguard\b/g, 'Pacemaker'],
];

export function inPacemakersWords(text: string): string {
  return commands.reduce((said, [from, to]) => said.replace(from, to), text);
}
