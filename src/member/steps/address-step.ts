/** The package address is on this member; one of IPv6 answers there, and the neighbours know it. */
import { isIpv6 } from '../../base/network.ts';
import { arpProbeName } from '../../contract/package-directory.ts';
import { addressState, duplicateText } from '../address-owner.ts';
import { stepSeconds } from '../deadlines.ts';
import type { Finding } from '../failures.ts';
import { message } from '../messages.ts';
import type { Step } from './step.ts';
import type { StepContext } from './steps.ts';

/** Longer than the kernel's: a random delay of 1 s at most, then one second a solicitation. */
const detectionMs = 5000;

export function addressPresent(context: StepContext): Step {
  const { host, settings } = context;
  const { packageAddress } = settings;
  const look = (): Finding | null =>
    host.ownsAddress(packageAddress) ? null : { code: 'no-address', text: `this member does not own ${packageAddress}` };
  const step: Step = { name: 'address', look, good: () => message('address-here', { address: packageAddress }) };
  return isIpv6(packageAddress) ? addressAnnounced(context, step) : step;
}

/**
 * An IPv6 address does not answer while duplicate address detection runs (tentative), nor after it found another host. Its neighbours keep
 * the hardware address of the previous member for half a minute, unless an advertisement replaces it; Linux sends none by itself
 * (ndisc_notify is off). Nothing waits for the advertisement.
 */
function addressAnnounced({ host, settings, directory, daemon }: StepContext, step: Step): Step {
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
