/** Kinds of values of package attributes: their legal values, as a check and in words for a template. Pure. */

import { isIpv4 } from '../base/network.ts';
import { namePattern } from './package-file.ts';

export interface Legal {
  /** The text after "Legal values for ...:" in a template. */
  readonly words: string;
  readonly accepts: (value: string) => boolean;
}

export const anyString: Legal = { words: '<Any String>', accepts: () => true };

export function oneOf(...words: readonly string[]): Legal {
  return { words: words.join(', '), accepts: (value) => words.some((word) => same(word, value)) };
}

/** Serviceguard's words are equal in either case. */
function same(word: string, value: string): boolean {
  return word.toLowerCase() === value.toLowerCase();
}

export const yesNo = oneOf('yes', 'no');

export function text(longest: number): Legal {
  return { words: `<Any String> of at most ${longest} characters`, accepts: (value) => value.length <= longest };
}

/** A whole number in a range, or one of some words. */
export function number(least: number, most: number, ...words: readonly string[]): Legal {
  const range = most === Number.POSITIVE_INFINITY ? `(value >= ${least})` : `(value >= ${least}) && (value <= ${most})`;
  return {
    words: [...words, range].join(', '),
    accepts: (value) =>
      words.some((word) => same(word, value)) || (/^\d+$/.test(value) && Number(value) >= least && Number(value) <= most),
  };
}

/** Seconds; 4294 is Serviceguard's maximum [L9 p.199]. */
export function seconds(least: number, ...words: readonly string[]): Legal {
  return number(least, 4294, ...words);
}

/** Names of packages, services, dependencies and the like [L9 p.196]. */
export const name: Legal = {
  words: '<1 to 39 letters, digits, dots, dashes, underscores; letter or digit first and last>',
  accepts: (value) => namePattern.test(value),
};

export const memberName: Legal = {
  words: '<a short host name>, *',
  accepts: (value) => value === '*' || /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/.test(value),
};

/** A name for LVM, with or without /dev/. */
export const volumeGroup: Legal = {
  words: '<A volume group>',
  accepts: (value) => /^(?:\/dev\/)?[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/.test(value),
};

/** A path that may begin with a variable such as $SGCONF, which Serviceguard expands at use. */
export const path: Legal = {
  words: '<An absolute path>',
  accepts: (value) => /^(?:\/|\$(?:\w+|\{\w+\})\/)\S+$/.test(value),
};

/** Such a path with arguments. */
export const commandLine: Legal = {
  words: '<An absolute path and its arguments>',
  accepts: (value) => /^(?:\/|\$(?:\w+|\{\w+\})\/)\S+/.test(value),
};

export const address: Legal = {
  words: '<An IPv4 or IPv6 address>',
  accepts: (value) => isIpv4(value) || /^[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f.]*$/.test(value),
};
