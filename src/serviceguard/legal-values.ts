/** Legal values of package attributes. Pure. */

import { isIpv4, isIpv6, prefixOf } from '../base/network.ts';
import { namePattern } from './package-file.ts';

export interface Legal {
  readonly words: string;
  readonly accepts: (value: string) => boolean;
}

export const anyString: Legal = { words: '<Any String>', accepts: () => true };

export function oneOf(...words: readonly string[]): Legal {
  return { words: words.join(', '), accepts: (value) => words.some((word) => same(word, value)) };
}

function same(word: string, value: string): boolean {
  return word.toLowerCase() === value.toLowerCase();
}

export const yesNo = oneOf('yes', 'no');

export function text(longest: number): Legal {
  return { words: `<Any String> of at most ${longest} characters`, accepts: (value) => value.length <= longest };
}

/** In a range, or a word. */
export function number(least: number, most: number, ...words: readonly string[]): Legal {
  const range = most === Number.POSITIVE_INFINITY ? `(value >= ${least})` : `(value >= ${least}) && (value <= ${most})`;
  return {
    words: [...words, range].join(', '),
    accepts: (value) =>
      words.some((word) => same(word, value)) || (/^\d+$/.test(value) && Number(value) >= least && Number(value) <= most),
  };
}

/** At most 4294 [L9 p.199]. */
export function seconds(least: number, ...words: readonly string[]): Legal {
  return number(least, 4294, ...words);
}

/** Of packages, services, dependencies... [L9 p.196]. */
export const name: Legal = {
  words: '<1 to 39 letters, digits, dots, dashes, underscores; letter or digit first and last>',
  accepts: (value) => namePattern.test(value),
};

export const memberName: Legal = {
  words: '<a short host name>, *',
  accepts: (value) => value === '*' || /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/.test(value),
};

/** With or without /dev/. */
export const volumeGroup: Legal = {
  words: '<A volume group>',
  accepts: (value) => /^(?:\/dev\/)?[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/.test(value),
};

/** May begin with a variable such as $SGCONF. */
export const path: Legal = {
  words: '<An absolute path>',
  accepts: (value) => /^(?:\/|\$(?:\w+|\{\w+\})\/)\S+$/.test(value),
};

export const commandLine: Legal = {
  words: '<An absolute path and its arguments>',
  accepts: (value) => /^(?:\/|\$(?:\w+|\{\w+\})\/)\S+/.test(value),
};

export const address: Legal = {
  words: '<An IPv4 or IPv6 address>',
  accepts: (value) => isIpv4(value) || isIpv6(value),
};

/** IPv6 with or without its length [serviceguard.md 2.6]. */
export const subnet: Legal = {
  words: address.words,
  accepts: (value) => address.accepts(value) || prefixOf(value) !== null,
};
