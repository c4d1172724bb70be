/** The toolkit's version, written into everything it renders. Same as package.json; a test says so. */
export const toolkitVersion = '0.1.0';

/** Major and minor of the oldest Node.js that members and this host may have; scripts/prepare.sh and package.json say the same. */
export const oldestNode = '20.19';

/** Whether that version (`20.19.0`, with or without its v) is new enough; null is none. */
export function isNodeNewEnough(version: string | null): boolean {
  const [major = 0, minor = 0] = (version ?? '').replace(/^v/, '').split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode.split('.').map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
