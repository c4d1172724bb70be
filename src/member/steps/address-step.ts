/** An IPv6 package address answers on this member, and its neighbours know it. */
import { arpProbeName } from '../../contract/package-directory.ts';
import type { MemberHost } from '../../host/host.ts';
import type { Settings } from '../../settings/settings.ts';
import { addressState, duplicateText } from '../address-owner.ts';
import type { Daemon } from '../daemon.ts';
import { stepSeconds } from '../deadlines.ts';
import type { Step } from './step.ts';

interface Place {
  readonly host: MemberHost;
  readonly settings: Settings;
  readonly daemon: Daemon;
  readonly directory: string;
}

/** The kernel needs a random delay of 1 s at most, then 1 s a solicitation. */
const detectionMs = 5000;

/**
 * An IPv6 address does not answer during duplicate address detection (tentative), nor after that found another host. Neighbours keep the
 * previous hardware address for 30 s unless an advertisement replaces it, which Linux does not send by itself (ndisc_notify is off).
 * Nothing waits for the advertisement.
 */
export function addressAnnounced({ host, settings, directory, daemon }: Place, step: Step): Step {
  const { packageAddress } = settings;
  let announced = false;
  const state = () => addressState(host, packageAddress);
  return {
    ...step,
    limitSeconds: detectionMs / 1000 + stepSeconds,
    look: async () => {
      const missing = await step.look();
      if (missing !== null) return missing;
      if (state() === 'duplicate') return { code: 'address-conflict', text: duplicateText(packageAddress) };
      const text = `${packageAddress} is ${state() === 'tentative' ? 'still tentative: duplicate address detection runs' : 'not announced yet'}`;
      return announced ? null : { code: 'no-address', text };
    },
    action: {
      what: `announce ${packageAddress} as soon as it is not tentative`,
      run: async ({ code }) => {
        if (code !== 'no-address' || !(await daemon.waitFor(detectionMs, () => state() !== 'tentative'))) return;
        announced = state() === 'usable' && host.detach(['perl', `${directory}/${arpProbeName}`, '--announce', packageAddress]);
      },
    },
  };
}
